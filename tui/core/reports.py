"""Reading a run's stored report: the numbers that lists, cards and scripts ask for, and what became of each answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from finetune.gate import Sides, report_of, sentence_chrf
from store.desk import Desk
from store.records import JudgedAnswer, Run
from store.words import BASE, Version
from tui.core.beside import Beside


def bleu_of(run: Run | None) -> Sides:
    """The held-out BLEU (0-100) of the active version and of the candidate, as far as the gate got."""
    report = report_of(run)
    return Sides() if report is None else report.bleu


def outcome(run: Run) -> dict[str, Any]:
    """What `deskloop retrain` prints last: ``{"run", "verdict", "version", "bleu": {"active", "candidate"}}``."""
    return {"run": run.id, "verdict": run.verdict, "version": run.candidate, "bleu": asdict(bleu_of(run))}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one question between the version before and the candidate. ``chrf_before`` and ``chrf_after``:
    how close the answers come to the target, 0 to 100."""

    question: str
    answer: JudgedAnswer
    chrf_before: float
    chrf_after: float

    @property
    def changed(self) -> bool:
        """Whether the two answers differ at all."""
        return self.answer.before != self.answer.after

    @property
    def difference(self) -> float:
        """chrF points gained; below zero the candidate's answer is further away."""
        return self.chrf_after - self.chrf_before


def changes(desk: Desk, run_id: int) -> list[Change]:
    """Every answer that a run's gate compared, the worst change first. Takes a second for a thousand answers."""
    questions = desk.runs.judged_questions(run_id)
    found = []
    for answer in desk.runs.judged(run_id):
        before = sentence_chrf(answer.target, answer.before)
        after = before if answer.after == answer.before else sentence_chrf(answer.target, answer.after)
        found.append(Change(questions.get(answer.pair_id, ""), answer, before, after))
    return sorted(found, key=lambda change: change.difference)


class ReportDesk:
    """What became of each answer in the runs of a desk, read beside the event loop."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def changes(self, run_id: int) -> list[Change]:
        """See :func:`changes`."""
        return await self._beside.work(lambda store: changes(store, run_id))


def version_details(desk: Desk, name: Version) -> str:
    """What there is to know about a version, in lines for a person."""
    if name == BASE:
        return "The bare base model, without any adapter. It is always there to go back to."
    version = desk.versions.get(name)
    run = desk.runs.get(version.run_id) if version.run_id is not None else None
    lines = [f"{name}: {version.method}, made {version.created_at[:16].replace('T', ' ')} UTC"]
    if run is not None:
        bleu = bleu_of(run)
        pairs = desk.runs.trained_pairs(run.id)
        lines.append(f"Run {run.id} by {run.created_by}, from {run.parent}, on {pairs} pairs: {run.state}")
        if bleu.active is not None and bleu.candidate is not None:
            lines.append(f"BLEU {bleu.candidate:.1f}, of the version before it {bleu.active:.1f}")
        if (report := report_of(run)) is not None:
            lines.append(report.sentence)
            if report.drift is not None:
                lines.append(report.drift.sentence)
    if name in desk.erasing.tainted():
        lines.append("It learned something that was erased since, so its data hash can't be checked any more.")
    if name in desk.versions.removed():
        lines.append("Its files were removed because of that.")
    lines.append("Recipe: " + ", ".join(f"{key} {value}" for key, value in version.recipe.items()))
    lines.append(f"Base {version.base_fingerprint[:12]}, files in {desk.home.adapters / version.folder}")
    for promotion in desk.promotions.list():
        if promotion.version == name:
            reason = f": {promotion.reason}" if promotion.reason else ""
            lines.append(f"{promotion.at[:16].replace('T', ' ')} {promotion.kind} by {promotion.who}{reason}")
    return "\n".join(lines)
