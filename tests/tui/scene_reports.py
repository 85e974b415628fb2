"""Reports of runs for the scenes. Their sentences are written by the gate, from the numbers of their tables."""

from __future__ import annotations

from collections.abc import Sequence

from finetune.gate.margins import GateMargins
from finetune.gate.measures import Recall, Scores
from finetune.gate.recall import with_recall
from finetune.gate.report import GateReport, LanguageReport, Outcome, Sides, sides
from finetune.gate.sentences import Names
from finetune.gate.signs import flip_p
from finetune.gate.verdict import Evidence, decide, summed_up
from finetune.gate.words import Decision
from store.words import OutcomeName

Points = tuple[float, float]  # of the active version and of the candidate
FEW = "With 11 pairs in Chinese only a large difference can be seen."
CHINESE = (8.0, 9.5)
RECALL = Recall(asked=43, exact=39, taught=40, of=43, shared=39, known=38, lost=1, gained=1)
Changes = tuple[int, int]  # how many answers got better, and how many worse
# What the held-out pairs in English say -> BLEU, how many pairs, what changed, and the least difference that can't be
# excluded.
ENGLISH: dict[Decision, tuple[Points, int, Changes, float | None]] = {
    "worse": ((63.9, 40.2), 54, (2, 17), None),
    "unclear": ((63.9, 63.1), 120, (5, 7), -4.6),
    "pass": ((63.9, 63.2), 54, (3, 4), None),
    "too few": ((63.9, 61.0), 11, (0, 1), None),
}


def scores(bleu: float, n: int) -> Scores:
    """The scores of a version with this BLEU."""
    return Scores(bleu, bleu + 8, round(bleu / 125, 2), n)


def language(
    lang: str, bleu: Points, n: int, changes: Changes, low: float | None = None, note: str | None = None
) -> LanguageReport:
    """The numbers of one language, decided as the gate decides."""
    before, after = (scores(points, n) for points in bleu)
    difference = after.bleu - before.bleu
    better, worse = changes
    p = flip_p([1] * better + [-1] * worse)
    decision = decide(Evidence(n, difference, after.chrf - before.chrf, better + worse, worse, p, low), GateMargins())
    high = None if low is None else difference * 2 - low
    return LanguageReport(
        lang, decision, "bleu", "13a", before, after, difference, p, low, high, note, better, worse, n, better + worse
    )


def english(decision: Decision) -> LanguageReport:
    """The held-out pairs in English, about which the gate says *decision*."""
    bleu, n, changes, low = ENGLISH[decision]
    found = language("en", bleu, n, changes, low)
    assert found.decision == decision
    return found


def report(
    active: str, candidate: str, languages: Sequence[LanguageReport], fates: Sequence[OutcomeName] = ()
) -> GateReport:
    """What the gate says to *languages* and to corrections with these *fates*."""
    outcomes = [Outcome(number, fate, 20.0, 90.0 if fate == "learned" else 20.0) for number, fate in enumerate(fates)]
    names = Names(active, candidate)
    return with_recall(summed_up(languages, outcomes, GateMargins(), names), RECALL, names)


def judged_alike(bleu: Points) -> GateReport:
    """A report in which all pairs are English, with these points."""
    return report("the version before", "this version", [language("en", bleu, 54, (2, 17))])


def chinese() -> LanguageReport:
    """The held-out pairs in Chinese: too few to say anything."""
    return language("zh", CHINESE, 11, (3, 1), note=FEW)


def before_it(decision: Decision) -> Sides:
    """The BLEU of the active version's own check, on the same pairs as :func:`english` and :func:`chinese`."""
    found = [english(decision), chinese()]
    return Sides(21.4, sides(found, "bleu").active)
