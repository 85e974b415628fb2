"""Judging: the same questions to the active version and to the candidate, as served, and the gate's word on it.

The engine is the one that serves chat (a fresh process in the run), so what is measured is what goes live. Answers are
greedy, and kept in the desk's cache under everything they depend on: the active version's answers of one run are the
candidate's of the run before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bot.engines.engine import Engine
from bot.types import FAITHFUL, BaseFacts, BaseSpec, Decoding, Exchange, Prompt
from finetune.gate import GateItem, GateMargins, GateReport, Scores, judge, score_by_language, tokenizer_for, total
from finetune.gate.answers import Progress, ask, likelihoods, limits_of, tell, unique, version_answers
from finetune.gate.general import ANSWER_TOKENS, QUESTIONS, Drift
from finetune.lengths import decoding_of
from store.desk import Desk
from store.settings import Settings
from store.text import clean
from store.versions import BASE


class Question(Protocol):
    """What is asked and what should be said: a pair of the store, or a row of a file."""

    @property
    def instruction(self) -> str: ...
    @property
    def history(self) -> tuple[Exchange, ...]: ...
    @property
    def output(self) -> str: ...
    @property
    def lang(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A question that is in no store. ``lang`` None: told by the script of the answer."""

    instruction: str
    output: str
    history: tuple[Exchange, ...] = ()
    lang: str | None = None


def judging_decoding(settings: Settings, desk: Desk | None = None) -> Decoding:
    """How answers are generated to be judged: the desk's preset `faithful`, and greedily in any case. With a *desk*
    they may be as long as its replies."""
    made = replace(FAITHFUL, **settings.faithful) if desk is None else decoding_of(desk, settings, "faithful")
    return replace(made, do_sample=False, seed=None)


def margins_of(settings: Settings) -> GateMargins:
    """The gate's margins as the desk's settings have them."""
    return GateMargins.of(
        settings.gate_margin_bleu, settings.gate_large_drop, settings.gate_alpha, settings.gate_min_pairs
    )


async def evaluate_versions(
    engine: Engine,
    desk: Desk,
    base: BaseFacts,
    active: str,
    candidate: str,
    heldout: Sequence[Question],
    corrections: Sequence[Question],
    system: str | None = None,
    on_progress: Progress | None = None,
    *,
    decoding: Decoding | None = None,
    margins: GateMargins | None = None,
) -> GateReport:
    """Ask *active* and *candidate* ("base" or "vN") everything and judge.

    *base* is what ``engine.load`` returned. *system*, *decoding* and *margins* default to the desk's settings.
    *heldout* and *corrections* are pairs of the store, known in the report by their ids. May be cancelled at any
    moment: the engine stops, and the answers there are stay in the cache. A version whose answers are all in the cache
    is not activated. Raises :class:`bot.types.EngineError` (a
    version that can't be activated, an engine that died) and :class:`LookupError` (no such version).
    """
    settings = desk.settings.load()
    system = settings.system_message if system is None else system
    decoding = decoding or judging_decoding(settings, desk)
    margins = margins or margins_of(settings)
    questions = [*heldout, *corrections]
    prompts = [_prompt(question, system) for question in questions]
    limits = await limits_of(engine, prompts, [question.output for question in questions], margins)
    answers = {}
    for name in (active, candidate):
        answers[name] = await version_answers(engine, desk, base, name, prompts, decoding, on_progress, limits)
    items = _items(questions, answers[active], answers[candidate])
    return await asyncio.to_thread(  # seconds of arithmetic for a thousand pairs; a cancel need not wait for it
        judge,
        items[: len(heldout)],
        items[len(heldout) :],
        margins,
        active="the bare base" if active == BASE else active,
        candidate="the bare base" if candidate == BASE else candidate,
    )


async def evaluate_file(
    engine: Engine,
    rows: Sequence[Question],
    *,
    version: str,
    system: str,
    decoding: Decoding = FAITHFUL,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask what is active in *engine* every question of *rows* and score the answers.

    Returns ``{"version", "bleu", "chrf", "exact", "n", "signature", "seconds"}``: BLEU and chrF from 0 to 100, exact
    from 0 to 1, seconds of wall time. With several languages each is scored by its own tokenizer, the numbers are the
    mean weighted by rows, ``signature`` lists each, and ``languages`` holds them one by one. ``notes`` is there where
    something must be known about the numbers. *version* is only repeated. Raises :class:`ValueError` if there are no
    rows.
    """
    if not rows:
        raise ValueError("The file holds no pair to evaluate.")
    start = time.perf_counter()
    prompts = [_prompt(row, system) for row in rows]
    limits = await limits_of(engine, prompts, [row.output for row in rows], GateMargins())  # as the gate does
    found = await ask(
        engine, unique(prompts), decoding, lambda done, all_: tell(on_progress, done, all_, version), limits=limits
    )
    answers = [(row.lang, clean(row.output), found[prompt]) for row, prompt in zip(rows, prompts, strict=True)]
    scores = await asyncio.to_thread(score_by_language, answers)
    result: dict[str, Any] = {
        "version": version,
        **{name: total(list(scores.values()), name) for name in ("bleu", "chrf", "exact")},
        "n": len(rows),
        "signature": _signature(scores),
        "seconds": round(time.perf_counter() - start, 3),
    }
    if len(scores) > 1:
        result["languages"] = {lang: values.to_dict() for lang, values in scores.items()}
    notes = [note for lang in scores if (note := tokenizer_for(lang).note)]
    return result | ({"notes": notes} if notes else {})


# -- small parts -----------------------------------------------------------------------------------
def _prompt(question: Question, system: str) -> Prompt:
    history = tuple((customer, bot) for customer, bot in question.history)
    return Prompt(system, history, question.instruction)


def _items(questions: Sequence[Question], before: Sequence[str], after: Sequence[str]) -> list[GateItem]:
    return [
        GateItem(_pair_id(question), question.lang or "", clean(question.output), old, new)
        for question, old, new in zip(questions, before, after, strict=True)
    ]


def _pair_id(question: Question) -> int:
    return int(getattr(question, "id", 0))


def _signature(scores: Mapping[str, Scores]) -> str:
    if len(scores) == 1:
        return next(iter(scores.values())).signature
    return "; ".join(f"{lang}: {values.signature}" for lang, values in scores.items())


async def drift_of(engine: Engine, desk: Desk, base: BaseFacts, version: str, system: str) -> Drift:
    """How far *version* has gone from the bare base; see :mod:`finetune.gate.general`.

    The base's answers, and how likely it finds them, are made once and kept in the desk's cache."""
    prompts = [Prompt(system, (), question) for question in QUESTIONS]
    decoding = replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS)
    answers = await version_answers(engine, desk, base, BASE, prompts, decoding, None)
    texts = [(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True) if answer]
    nats = {name: await likelihoods(engine, desk, base, name, texts) for name in (BASE, version)}
    lost = [before - after for before, after in zip(nats[BASE], nats[version], strict=True)]
    return Drift(round(sum(lost) / len(lost), 3) if lost else 0.0, len(lost))


async def judge_merged(
    engine: Engine, desk: Desk, spec: BaseSpec, version: str, merged: Path, on_progress: Progress | None = None
) -> GateReport:
    """Whether the whole model in the folder *merged* answers the held-out questions as well as *version* does on
    its own base. *engine* is loaded with one after the other."""
    settings = desk.settings.load()
    decoding, heldout = judging_decoding(settings, desk), desk.pairs.heldout_set()
    prompts = [_prompt(pair, settings.system_message) for pair in heldout]
    margins, base = margins_of(settings), await engine.load(spec)
    limits = await limits_of(engine, prompts, [pair.output for pair in heldout], margins)
    before = await version_answers(engine, desk, base, version, prompts, decoding, on_progress, limits)
    whole = await engine.load(BaseSpec(str(merged), "bf16"))
    after = await version_answers(engine, desk, whole, BASE, prompts, decoding, on_progress, limits)
    items = _items(heldout, before, after)
    return await asyncio.to_thread(judge, items, [], margins, active=version, candidate=f"{version}, merged,")
