"""The fourth step of a run: the same questions to the active version and to the candidate, as served.

The engine is the one that serves chat, or one just like it, so what is measured is what goes live. The active
version's answers of one run are the candidate's of the run before, and come out of the desk's cache."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.adapters import read_manifest
from finetune.certainty.calibrating import observed
from finetune.certainty.calibration import Calibration, calibrate, equal_risk
from finetune.events import Judged, Phase, Recalled, Trained
from finetune.gate.answers import Asker, Judge
from finetune.gate.exposure import Exposure
from finetune.gate.general import Drift
from finetune.gate.judging import Exam, drift_of, evaluate_versions
from finetune.gate.report import GateReport
from finetune.gate.secrets import exposure_of, secrets_in
from finetune.gate.taught import lesson
from finetune.parent import known_pairs
from finetune.run.context import RunContext
from finetune.run.serving import Serving
from finetune.run.troubles import Course
from store.records import Pair, Snapshot
from store.text import counted
from store.words import BASE, Version

JUDGED_EVERY = 0.5  # seconds between two events that say how many answers are judged


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about ``candidate``; ``active`` is the version that it was compared with."""

    active: Version
    candidate: Version
    report: GateReport
    drift: Drift
    exposure: Exposure | None = None
    calibration: Calibration | None = None


async def judge(run: RunContext, serving: Serving, candidate: Version, data: Snapshot) -> Judgement:
    """Compare *candidate* with the version that is active now, by the pairs of the run. Raises
    :class:`bot.types.EngineError`."""
    active = Version(run.desk.promotions.active())
    waiting = {pair.id for pair in run.desk.judgements.corrections_since_promotion()}
    trained = [pair for pair, _ in data.train]
    corrections = [pair for pair in trained if pair.id in waiting]
    taught = lesson(trained, waiting, known_pairs(run.desk, active))
    questions = f"{len(data.heldout)} held-out pairs and {counted(len(taught.asked), 'taught question')}"
    run.emit(Phase("judging", f"Comparing {candidate} with {active} on {questions}."))
    asker = Asker.of(run.desk, serving.engine, run.system)
    asking = Judge(asker, run.desk, serving.base, _Counter(run))
    report = await evaluate_versions(asking, active, candidate, Exam(data.heldout, corrections, taught))
    if report.recall is not None:
        run.emit(Recalled(candidate, report.recall))
    run.emit(Phase("judging", "Measuring how far the new version has moved from the base."))
    drift = await drift_of(asking, candidate)
    run.emit(Phase("judging", "Learning when the new version is right."))
    versions = [candidate] if active == BASE else [candidate, active]
    calibrations = [await _calibration(asking, version, data.heldout) for version in versions]
    report = replace(report, risk=equal_risk(calibrations, run.desk.settings.load().accepted_wrong))
    exposure = await _exposure(run, asking, candidate, data)
    return Judgement(active, candidate, report, drift, exposure, calibrations[0])


async def _calibration(asking: Judge, version: Version, heldout: Sequence[Pair]) -> Calibration:
    """What makes a chance of *version*'s replies; without held-out pairs what holds of any desk."""
    seen = await observed(asking, version, heldout) if heldout else []
    return await asyncio.to_thread(calibrate, seen)


async def _exposure(run: RunContext, asking: Judge, candidate: Version, data: Snapshot) -> Exposure | None:
    """How well *candidate* remembers what it should not tell."""
    pairs = [pair for pair, _ in data.train]
    secrets = await secrets_in(asking, run.canaries, pairs, f"{run.run.data_hash}/{run.run_id}")
    if secrets.tested:
        run.emit(Phase("judging", f"Measuring how well it remembers {counted(len(secrets.tested), 'secret')}."))
    return await exposure_of(asking, candidate, secrets)


class _Counter:
    """Says how many answers there are, not more often than anybody can read."""

    def __init__(self, run: RunContext) -> None:
        self._run, self._last = run, 0.0

    def __call__(self, done: int, wanted: int, version: Version) -> None:
        now = time.monotonic()
        if now - self._last >= JUDGED_EVERY or done == wanted:
            self._last = now
            self._run.emit(Judged(done, wanted, Version(version)))


def course_of(run: RunContext, judgement: Judgement, facts: Trained) -> Course:
    """How the run went, as far as it shows what was wrong with it."""
    probe = read_manifest(run.folder(judgement.candidate)).probe
    return Course(
        run.recipe,
        run.steps(),
        facts,
        fitted=run.fitted() is not None,
        difference=None if probe is None else probe.difference,
        answers=[answer for answer in judgement.report.answers if answer.kind != "taught"],
        before=judgement.active,
    )
