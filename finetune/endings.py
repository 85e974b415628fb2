"""What a run came to and what can be done next: the one place that says so, for the chat, its screens, notifications
and the command line. Commands and keys are the callers' business."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from finetune.events import Done, Failed
from finetune.gate.measures import Recall
from finetune.gate.report import GateReport, Sides, report_of
from finetune.gate.words import HeldReason, capital
from finetune.stored import made
from store.records import Run
from store.words import RunState, Version

Way = Literal["activate", "resume", "discard"]
"""``activate``: let the version answer anyway; ``resume``: go on from where the run stopped; ``discard``: give
it up and free its files."""

JUDGED: tuple[RunState, ...] = ("promoted", "held", "rejected")
"""States of a run that has a report."""

_WORDS: dict[RunState, str] = {
    "promoted": "{version} passed the check and answers now.",
    "held": "{version} is held: {why}.",
    "rejected": "{version} was rejected; the current version goes on answering.",
    "cancelled": "The retraining was cancelled; nothing changed.",
    "interrupted": "The retraining was interrupted; nothing was lost.",
    "failed": "The retraining failed; nothing changed.",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. ``bleu``: held-out BLEU (0 to 100) of the version before it and of its own, as far as the check
    got; ``held``: why its version is held, if it is; ``recall``: how it answers what it was taught, if it was asked."""

    state: RunState
    version: Version | None = None
    bleu: Sides = field(default_factory=Sides)
    held: HeldReason | None = None
    recall: Recall | None = None
    failure: Failed | None = None
    ways: tuple[Way, ...] = ()

    @property
    def sentence(self) -> str:
        """What the run came to; what it failed of has a sentence of its own, ``failure.sentence``."""
        little = self.recall if self.recall is not None and self.recall.little else None
        why = (self.held or HeldReason.TOO_LITTLE).because
        if little is not None and self.held is HeldReason.NOT_TAUGHT:
            why, little = f"it learned little and {little.words}", None
        words = _WORDS.get(self.state, f"The run is {self.state}.").format(version=self.version, why=why)
        return words if little is None else f"{self.version} learned little: it {little.words}. {words}"

    @property
    def numbers(self) -> str:
        """The check's numbers in short; empty if it did not get so far."""
        told = []
        if self.bleu.candidate is not None:
            before = "?" if self.bleu.active is None else f"{self.bleu.active:.1f}"
            told.append(f"BLEU {before} -> {self.bleu.candidate:.1f}")
        if self.recall is not None:
            told.append(f"recall {self.recall.taught:,} of {self.recall.asked:,}")
        return f"{capital(', '.join(told))}." if told else ""


def ending_of(run: Run) -> Ending:
    """How *run* ended."""
    report = report_of(run)
    return Ending(
        state=run.state,
        version=run.candidate,
        bleu=report.bleu if report is not None else Sides(),
        held=_held(run.state, report),
        recall=_recall(run.state, report),
        failure=failure_of(run),
        ways=tuple(_ways(run)),
    )


def ending_told(done: Done, report: GateReport | None) -> Ending:
    """How a run ended, by its last event and the *report* that it told before; without the ways on."""
    held, recall = _held(done.state, report), _recall(done.state, report)
    return Ending(done.state, done.version, done.bleu or Sides(), held, recall)


def failure_of(run: Run) -> Failed | None:
    """What *run* failed of; None if it did not. (One that was resumed keeps what it failed of before.)"""
    if run.failure is None or run.state != "failed":
        return None
    try:
        return made({"kind": "failed", "sentence": "The retraining failed.", **run.failure}, Failed)
    except ValueError:
        return Failed("failed", "The retraining failed.")


def _held(state: RunState, report: GateReport | None) -> HeldReason | None:
    if state != "held":
        return None
    # what passed is held only where nobody compared it with what answers now
    return None if report is None else HeldReason.OVERTAKEN if report.verdict == "promote" else report.held


def _recall(state: RunState, report: GateReport | None) -> Recall | None:
    return report.recall if report is not None and state in JUDGED else None


def _ways(run: Run) -> list[Way]:
    ways: list[Way] = []
    if run.state in ("held", "rejected") and run.candidate is not None:
        ways.append("activate")
    if run.resumable:
        ways.append("resume")
    if run.discardable:
        ways.append("discard")
    return ways
