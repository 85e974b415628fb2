"""From answers to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from finetune.gate.comparison import Answers, compare
from finetune.gate.languages import language_of
from finetune.gate.margins import GateMargins
from finetune.gate.outcomes import outcome_of
from finetune.gate.report import GateItem, GateReport, LanguageReport, Outcome, sides
from finetune.gate.sentences import Finding, Names, verdict_sentence
from finetune.gate.words import Decision, held_reason
from store.records import JudgedAnswer
from store.words import Verdict


def judge(
    items: Sequence[GateItem],
    corrections: Sequence[GateItem] = (),
    margins: GateMargins | None = None,
    *,
    active: str = "the active version",
    candidate: str = "the candidate",
) -> GateReport:
    """Judge a candidate by its answers to the held-out questions (*items*) and to the corrected ones.

    Every language is judged on its own, with its own tokenizer (:func:`decide`). Together:

    - ``reject`` if any language is worse;
    - ``promote`` if at least one language passed and none is unclear; languages with too few pairs do not stand in the
      way as long as none of them dropped by ``large_drop``;
    - ``inconclusive`` otherwise, so also without any held-out pair.

    Corrections never soften a rejection and never make up for missing held-out pairs: they are training data. They can
    hold a promotion back: a run that improved no language is ``inconclusive`` if it learned none of its corrections,
    and any run is if more corrections regressed than were learned. *active* and *candidate* are the names used in the
    sentence.
    """
    margins = margins or GateMargins()
    languages = tuple(_judge_language(lang, group, margins) for lang, group in _by_language(items).items())
    outcomes = tuple(outcome_of(item, margins) for item in corrections)
    answers = [JudgedAnswer(item.pair_id, "heldout", item.before, item.after, item.target, None) for item in items]
    answers += [
        JudgedAnswer(item.pair_id, "correction", item.before, item.after, item.target, outcome.outcome)
        for item, outcome in zip(corrections, outcomes, strict=True)
    ]
    return replace(summed_up(languages, outcomes, margins, Names(active, candidate)), answers=tuple(answers))


def summed_up(
    languages: Sequence[LanguageReport], outcomes: Sequence[Outcome], margins: GateMargins, names: Names
) -> GateReport:
    """The report, without answers, on what was found about each language and correction."""
    verdict = combine(languages, outcomes)
    held = held_reason(verdict, [language.decision for language in languages])
    return GateReport(
        verdict,
        verdict_sentence(Finding(verdict, languages, outcomes, held), margins, names),
        tuple(languages),
        tuple(outcomes),
        margins,
        bleu=sides(languages, "bleu"),
        chrf=sides(languages, "chrf"),
        exact=sides(languages, "exact"),
        held=held,
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ``n`` pairs of one language show. Differences are candidate minus active, ``difference`` in the metric that
    decides; ``changed`` counts the right answers whose questions came out better or worse, ``worse`` the questions that
    came out worse, ``p`` is the sign test's (:mod:`finetune.gate.signs`), ``low`` the lower end of the difference's
    interval, None where there is none."""

    n: int
    difference: float
    chrf_difference: float
    changed: int
    worse: int
    p: float
    low: float | None = None


def decide(found: Evidence, margins: GateMargins) -> Decision:
    """What the pairs of one language say. Two things are asked: is the drop larger than allowed, and is it more than
    chance (:meth:`GateMargins.level`)? Allowed is ``margin`` in the metric that decides, and below ``large_drop`` in
    both BLEU and chrF, which sees what BLEU can't, near its floor.

    - Both: ``worse``.
    - One of them: ``unclear``. So it is from ``interval_pairs`` if the interval does not exclude a drop of more than
      ``margin``: of equally good candidates that changed a fifth of their answers, two thirds are in this place on 100
      pairs.
    - Neither: ``pass``. Below ``min_pairs`` that is ``too few``, and so is whatever is no large drop.

    Where no answer got worse, a lower score is a metric's blind spot, whatever the answers look like.
    """
    if found.worse:
        large = min(found.difference, found.chrf_difference) <= -margins.large_drop
        larger = large or found.difference < -margins.margin
        likely = min(found.difference, found.chrf_difference) < 0 and found.p <= margins.level(found.n, found.changed)
        if larger and likely:
            return "worse"
        possible = found.low is not None and found.low <= -margins.margin
        if large or (found.n >= margins.min_pairs and (larger or likely or possible)):
            return "unclear"
    return "pass" if found.n >= margins.min_pairs else "too few"


def combine(languages: Sequence[LanguageReport], outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict of all languages and corrections together (see :func:`judge`)."""
    decisions = [language.decision for language in languages]
    if "worse" in decisions:
        return "reject"
    if "unclear" in decisions or "pass" not in decisions:
        return "inconclusive"
    learned = sum(outcome.outcome == "learned" for outcome in outcomes)
    regressed = sum(outcome.outcome == "regressed" for outcome in outcomes)
    improved = any(language.difference > 0 for language in languages)
    if regressed > learned or (outcomes and not learned and not improved):
        return "inconclusive"
    return "promote"


def _by_language(items: Sequence[GateItem]) -> dict[str, list[GateItem]]:
    """*items* by the language they are judged in, the one with the most pairs first."""
    groups: dict[str, list[GateItem]] = {}
    for item in items:
        groups.setdefault(language_of(item.lang, item.target), []).append(item)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def _judge_language(lang: str, items: Sequence[GateItem], margins: GateMargins) -> LanguageReport:
    n = len(items)
    answers = Answers([item.target for item in items], [item.before for item in items], [item.after for item in items])
    found = compare(answers, lang, margins, interval=n >= margins.interval_pairs)
    chrf = found.candidate.chrf - found.active.chrf
    evidence = Evidence(n, found.difference, chrf, found.changed, found.worse, found.p, found.low)
    return LanguageReport(
        lang=lang,
        decision=decide(evidence, margins),
        metric=found.metric,
        tokenizer=found.tokenizer.name,
        active=found.active,
        candidate=found.candidate,
        difference=found.difference,
        p=found.p,
        low=found.low,
        high=found.high,
        note=found.tokenizer.note,
        better=found.better,
        worse=found.worse,
        clusters=found.clusters,
        changed=found.changed,
    )
