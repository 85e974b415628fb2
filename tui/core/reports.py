"""Reading a run's stored report: the numbers that lists, cards and scripts ask for, and what became of each answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from finetune.endings import ending_of
from finetune.gate.measures import Recall
from finetune.gate.report import Sides, report_of
from store.desk import Desk
from store.records import JudgedAnswer, Run
from store.words import BASE, Version
from tui.core.beside import Beside
from tui.core.recipes import changed_values

Detail = tuple[str, str]  # what a fact is about, in a word (empty: nothing in particular), and the fact


def bleu_of(run: Run | None) -> Sides:
    """The held-out BLEU (0-100) of the active version and of the candidate, as far as the gate got."""
    report = report_of(run)
    return Sides() if report is None else report.bleu


def recall_of(run: Run | None) -> Recall | None:
    """How the candidate answers what it was taught; None where that was not asked."""
    report = report_of(run)
    return None if report is None else report.recall


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
    from finetune.gate.scores import sentence_chrf  # scoring is needed here alone

    questions = desk.runs.judged_questions(run_id)
    found = []
    for answer in desk.runs.judged(run_id):
        before = sentence_chrf(answer.target, answer.before)
        after = before if answer.after == answer.before else sentence_chrf(answer.target, answer.after)
        found.append(Change(questions.get(answer.pair_id, ""), answer, before, after))
    return sorted(found, key=lambda change: change.difference)


def lost(changes: Sequence[Change]) -> list[Change]:
    """Of *changes*, the held-out answers that got worse, in their order."""
    return [change for change in changes if change.answer.kind == "heldout" and change.difference < 0]


class ReportDesk:
    """What became of each answer in the runs of a desk, read beside the event loop."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def changes(self, run_id: int) -> list[Change]:
        """See :func:`changes`."""
        return await self._beside.work(lambda store: changes(store, run_id))


def version_details(desk: Desk, name: Version) -> list[Detail]:
    """What there is to know about a version, for a person."""
    if name == BASE:
        return [("", "The bare base model, without any adapter. You can always go back to it.")]
    version = desk.versions.get(name)
    run = desk.runs.get(version.run_id) if version.run_id is not None else None
    found = [("Made", f"{moment(version.created_at)} UTC")]
    if run is not None:
        found += [("Run", f"{run.id} by {run.created_by}, from {run.parent}")]
        found += [("Learned", f"{desk.runs.trained_pairs(run.id):,} pairs"), *_checked(run)]
    if name in desk.erasing.tainted():
        removed = " Its files were removed because of that." if name in desk.versions.removed() else ""
        words = "It learned something that has been erased, so its data hash can't be checked any more."
        found.append(("Erased", words + removed))
    found.append(("Recipe", changed_values(version.recipe)))
    found.append(("Files", f"adapters/{version.folder} of the desk, for base {version.base_fingerprint[:12]}"))
    for promotion in desk.promotions.list():
        if promotion.version == name:
            reason = f": {promotion.reason}" if promotion.reason else ""
            found.append(("Answered", f"from {moment(promotion.at)}, by {promotion.who} ({promotion.kind}){reason}"))
    return found


def run_details(run: Run, pairs: int) -> list[Detail]:
    """What there is to know about a run that learned *pairs* pairs, for a person."""
    found = [("Run", f"{run.id} by {run.created_by}, from {run.parent}"), ("Begun", f"{moment(run.created_at)} UTC")]
    ending = ending_of(run)
    if run.finished_at is not None:
        found.append(("Ended", f"{moment(run.finished_at)} UTC. {ending.sentence}"))
    if ending.failure is not None:
        found.append(("Reason", ending.failure.sentence))
    return [*found, ("Learned", f"{pairs:,} pairs"), *_checked(run), ("Recipe", changed_values(run.recipe))]


def _checked(run: Run) -> list[Detail]:
    """What the check found about the version of *run*."""
    report = report_of(run)
    if report is None:
        return []
    found: list[Detail] = []
    if report.bleu.active is not None and report.bleu.candidate is not None:
        found.append(("BLEU", f"{report.bleu.candidate:.1f}; the previous version {report.bleu.active:.1f}"))
    if report.recall is not None:
        recall = report.recall
        found.append(("Recall", f"{recall.taught:,} of {recall.asked:,} taught questions as taught; {recall.details}"))
    if report.sentence:
        found.append(("Check", report.sentence))
    if report.drift is not None:
        found.append(("Drift", report.drift.sentence))
    if report.exposure is not None:
        found.append(("Secrets", report.exposure.sentence))
    if report.risk is not None:
        found.append(("Certainty", report.risk.sentence(run.parent, run.candidate or "it")))
    return found


def moment(at: str) -> str:
    """A time as the store writes it, to the minute."""
    return at[:16].replace("T", " ")
