"""The first step of a run: which base, which pairs, and which version to go on from. All of it is decided once, and
found decided when the run is resumed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.adapters import verify
from bot.bases.base import fingerprint
from bot.types import BaseSpec, EngineError
from finetune.desk_base import desk_base
from finetune.events import Phase
from finetune.failures import RunFailure
from finetune.mistakes import WrongReplies, wrong_replies
from finetune.parent import warm_parent
from finetune.recipe import FROM_REJECTIONS
from finetune.run.context import RunContext
from finetune.run.shelf import clean_up
from store.records import Pair, Snapshot
from store.words import BASE, Version


@dataclass(frozen=True, slots=True)
class Prepared:
    """``mark``: the fingerprint of the base; ``parent``: the version to go on from, or "base"."""

    spec: BaseSpec
    mark: str
    data: Snapshot
    parent: Version


async def prepare(run: RunContext) -> Prepared:
    """Decide what the run trains on. Raises :class:`RunFailure`, and :class:`bot.types.EngineError` without a base."""
    if not run.run.recipe:
        raise RunFailure("recipe-unreadable")  # the store's word for a damaged one
    spec = desk_base(run.desk)
    mark = await asyncio.to_thread(fingerprint, spec)
    if run.run.base_fingerprint not in (None, mark):
        raise RunFailure("base-changed")
    for strange in clean_up(run.desk):
        run.note(f"{strange} among the adapters is not a version of this desk; it is now in {run.desk.home.aside} now.")
    return Prepared(spec, mark, _data(run, mark), _parent(run, mark))


def _data(run: RunContext, mark: str) -> Snapshot:
    """The pairs, fixed by a snapshot."""
    if run.run.data_hash is None:
        _take_snapshot(run, mark)
    return run.desk.runs.snapshot(run.run_id)


def _take_snapshot(run: RunContext, mark: str) -> None:
    run.emit(Phase("snapshot", "Taking a snapshot of the pairs."))
    chosen = run.desk.pairs.training_set()
    if len(chosen) < run.desk.settings.load().min_pairs:
        raise RunFailure("too-few-pairs")
    aside = {pair.id for pair in _set_aside(run, [pair for pair, new in chosen if not new])}
    train = [(pair, run.recipe.new_weight if new else 1) for pair, new in chosen if pair.id not in aside]
    wrong = wrong_replies(run.desk, run.recipe, [pair for pair, _ in train])
    if run.recipe.objective in FROM_REJECTIONS and not wrong.replies:
        raise RunFailure("no-mistakes")
    run.desk.runs.set_mistakes(run.run_id, wrong.replies)
    run.desk.runs.set_snapshot(
        run.run_id,
        [(pair.id, weight) for pair, weight in train],
        [pair.id for pair in run.desk.pairs.heldout_set()],
        _data_hash(mark, train, wrong),
        sorted(aside),
    )


def _set_aside(run: RunContext, known: Sequence[Pair]) -> list[Pair]:
    """The share of pairs that the recipe wants set aside, drawn from those that are no new corrections."""
    count = min(round(run.recipe.validation * len(known)), len(known) - 1)
    return random.Random(f"{run.recipe.seed}/validation").sample(known, count) if count > 0 else []


def _data_hash(mark: str, train: Iterable[tuple[Pair, int]], wrong: WrongReplies) -> str:
    digest = hashlib.sha256(mark.encode())
    for pair, weight in train:
        digest.update(json.dumps([pair.instruction, pair.history, pair.output, weight]).encode())
    if wrong.replies:
        digest.update(json.dumps([sorted(wrong.replies), *wrong.texts]).encode())
    return digest.hexdigest()


def _parent(run: RunContext, mark: str) -> Version:
    """The version to go on from: decided when the run starts, kept when it is resumed."""
    if run.files.job.whole or run.files.job.trained:
        return Version(run.run.parent)
    parent = warm_parent(run.desk, run.recipe)
    if parent != BASE:
        try:
            verify(run.folder(parent), mark)
        except EngineError as error:
            run.note(f"Training starts from the base, not from {parent}: {error.sentence}")
            parent = BASE
    run.desk.runs.update(run.run_id, parent=parent)
    return parent
