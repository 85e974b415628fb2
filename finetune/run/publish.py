"""The third step of a run, publishing its adapter: it appears whole, under a name that was never used, or not at all.

Needs no torch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.adapters import CARD_NAME, Manifest, sha256_of, write_manifest
from bot.engines import Engine
from bot.types import AdapterRef, ProbeResult
from finetune.desk_base import base_facts
from finetune.events import Phase, Trained
from finetune.files import MARK, appearing, sync_tree
from finetune.job import read_job
from finetune.libraries import library_versions
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.prepare import Prepared
from finetune.run.shelf import clean_up, next_number
from store.desk import Desk
from store.home import sync_folder
from store.records import AdapterVersion
from store.times import now
from store.versions import NewVersion
from store.words import Version


@dataclass(frozen=True, slots=True)
class Candidate:
    """An adapter that is trained and not published yet. ``folder``: where it lies; ``probe``:
    what an engine measured of it; ``card``: what else is needed to repeat the run."""

    run_id: int
    folder: Path
    base_fingerprint: str
    recipe: Recipe
    probe: ProbeResult
    card: Mapping[str, Any]


def publish(desk: Desk, candidate: Candidate) -> AdapterVersion:
    """Copy an adapter to its final place: staged, synced, described by a manifest, renamed once; then its row.

    The gate's numbers come later than the card, which never changes: they are in the run's report."""
    clean_up(desk)
    number = next_number(desk)
    name = Version(f"v{number}")
    mark, recipe = candidate.base_fingerprint, candidate.recipe
    with appearing(desk.home.adapters / name) as built:
        shutil.copytree(candidate.folder, built, ignore=shutil.ignore_patterns(MARK))
        about = {"version": name, "run": candidate.run_id, **candidate.card, "libraries": library_versions()}
        (built / CARD_NAME).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        files = {path.relative_to(built).as_posix(): sha256_of(path) for path in built.rglob("*") if path.is_file()}
        manifest = Manifest(name, mark, recipe.method, now(), dict(sorted(files.items())), candidate.probe)
        digest = write_manifest(built, manifest)
        sync_tree(built)
    sync_folder(desk.home.adapters)
    with desk.atomic():
        row = desk.versions.add(NewVersion(number, digest, mark, recipe.method, recipe.to_dict(), candidate.run_id))
        desk.runs.update(candidate.run_id, candidate=name)
    return row


# -- the step ----------------------------------------------------------------------------------------
async def publish_candidate(run: RunContext, prepared: Prepared, facts: Trained, engine: Engine) -> Version:
    """Measure what was trained and publish it; what a run that is resumed published before stays as it is. In both
    cases *engine* loads it as it will serve, which tells whether it answers as measured. Returns its version.

    Raises :class:`bot.types.EngineError`."""
    known = run.run.candidate
    version = None if known is None else Version(known)
    if version is None:
        run.emit(Phase("publishing", "Measuring and publishing the new version."))
        probe = await engine.probe(str(run.files.job.adapter))
        card = _card(run, prepared, facts)
        made = Candidate(run.run_id, run.files.job.adapter, prepared.mark, run.recipe, probe, card)
        version = Version(publish(run.desk, made).name)
    await engine.ready(AdapterRef(version, str(run.folder(version))))
    return version


def _system(run: RunContext) -> str:
    """The system message it was trained with: that of the desk when the run began."""
    files = run.files.job
    return read_job(files).system if files.whole else run.system


def _card(run: RunContext, prepared: Prepared, facts: Trained) -> dict[str, Any]:
    return {
        "parent": prepared.parent,
        "recipe": run.recipe.to_dict(),
        "base": base_facts(run.desk, prepared.spec),
        "base_fingerprint": prepared.mark,
        "system_message": _system(run),
        "pairs": [[pair.id, weight] for pair, weight in prepared.data.train],
        "mistakes": sorted(prepared.data.mistakes),
        "data_hash": run.run.data_hash,
        "training": asdict(facts),
    }
