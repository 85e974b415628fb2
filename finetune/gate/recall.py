"""What recall means for the verdict: a version that was taught and does not say it, or that forgot what the active
version says, does not answer by itself."""

from __future__ import annotations

from dataclasses import replace

from finetune.gate.measures import Recall
from finetune.gate.report import GateReport
from finetune.gate.sentences import Finding, Names, consequence, finding
from finetune.gate.words import HeldReason, capital
from store.text import counted
from store.words import Verdict

MARGIN = 0.05
"""Of the taught questions that both versions know from their training, the share by which the candidate may fall
short. Two equally good trainings differ by a few answers: of 100 questions that each of two versions misses 5 of by
chance, one has more than 5 fewer in 4% of all cases."""
LEAST = 2
"""Answers that a fall has at least: a single one is listed, and no reason to hold a version back."""
ALPHA = 0.025
"""One-sided p up to which a fall beyond the margin is no chance, and rejected; otherwise it is held. Half of the
gate's, since the held-out pairs can reject too: by exact sums over lost and gained answers, of equally good versions
2.3% are rejected at most (10 to 100 questions, recall .8 to .98), and of those that lost a tenth of what was known 63%
are and 22% are held, with 100 questions and a recall of .95."""


def with_recall(report: GateReport, recall: Recall, names: Names) -> GateReport:
    """The *report* on held-out pairs and corrections, with what the taught questions add: numbers, words, and where
    they say so another verdict. What there is to do about a version that learned little is said first."""
    if not recall.asked:
        return report
    verdict, held = weighed(report, recall)
    gate = Finding(report.verdict, report.languages, report.corrections, report.held)
    final = replace(gate, verdict=verdict, held=held)
    told = [
        _little(recall, names) if recall.little else "",
        _forgot(recall, names) if fell(recall) else "",
        finding(gate, report.margins, names),
        "" if recall.little else _recalled(recall, names),
        consequence(final, names),
    ]
    return replace(report, verdict=verdict, held=held, recall=recall, sentence=" ".join(filter(None, told)))


def weighed(report: GateReport, recall: Recall) -> tuple[Verdict, HeldReason | None]:
    """The verdict, and why the version is held if it is:

    - what the gate rejects stays rejected;
    - a fall beyond :data:`MARGIN` is rejected where it is no chance (``fall_p``), and held where it may be one;
    - a version that learned little is held, unless it says more of what was taught than the active version does: as
      little as that may be, to go on without it would be worse. The bare base was taught nothing, so beside it nothing
      is more."""
    if report.verdict == "reject":
        return "reject", None
    if fell(recall):
        return ("reject", None) if recall.fall_p <= ALPHA else ("inconclusive", HeldReason.FORGOT)
    more = recall.shared > 0 and recall.gained + report.count("learned") > recall.lost
    if recall.little and not more:
        return "inconclusive", HeldReason.NOT_TAUGHT
    return report.verdict, report.held


def fell(recall: Recall) -> bool:
    """Whether what the active version says as taught fell by more than the margin."""
    fall = recall.lost - recall.gained
    return fall >= LEAST and fall > MARGIN * recall.shared


# -- sentences -------------------------------------------------------------------------------------
def _little(recall: Recall, names: Names) -> str:
    told = f"{capital(names.candidate)} learned little: it {recall.words}."
    return f"{told} Let it train longer (more epochs), or look at the conflicts."


def _forgot(recall: Recall, names: Names) -> str:
    others = f", and learned {counted(recall.gained, 'other')}" if recall.gained else ""
    return (
        f"{capital(names.candidate)} forgot {recall.lost} of the {counted(recall.known, 'taught question')} that "
        f"{names.active} answers as taught{others}."
    )


def _recalled(recall: Recall, names: Names) -> str:
    kept = ""
    if recall.known and not fell(recall):
        kept = f", {recall.kept} of the {recall.known} among them that {names.active} knew"
    return f"{capital(names.candidate)} {recall.words}{kept}."
