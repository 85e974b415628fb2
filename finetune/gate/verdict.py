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
      way as long as none of them dropped by ``large_drop``, which counts as worse;
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
    decides; ``low`` is the lower end of its interval, None where there is none."""

    n: int
    difference: float
    chrf_difference: float
    p: float
    low: float | None = None


def decide(found: Evidence, margins: GateMargins) -> Decision:
    """What the pairs of one language say:

    - any number: a drop of ``large_drop``, in the deciding metric or in chrF (which sees what BLEU can't, near its
      floor), is ``worse``;
    - below ``min_pairs``: otherwise ``too few``;
    - from there: ``worse`` if the drop is larger than ``margin``, or is a drop and significant;
    - from ``interval_pairs``: ``pass`` only if the interval excludes a drop of more than ``margin``. If it does not,
      though the difference itself is within the margin, that is ``unclear`` and not ``worse``: of equally good
      candidates that changed a fifth of their answers, half are in this place on 100 to 200 pairs.
    """
    if min(found.difference, found.chrf_difference) <= -margins.large_drop:
        return "worse"
    if found.n < margins.min_pairs:
        return "too few"
    if found.difference < -margins.margin or (found.difference < 0 and found.p < margins.alpha):
        return "worse"
    if found.low is not None and found.low <= -margins.margin:
        return "unclear"
    return "pass"


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
    if found.candidate.exact == 1:
        # Every answer is the reference: no metric's blind spot may call that worse, whatever the answers look like.
        decision: Decision = "pass" if n >= margins.min_pairs else "too few"
    else:
        chrf_difference = found.candidate.chrf - found.active.chrf
        decision = decide(Evidence(n, found.difference, chrf_difference, found.p, found.low), margins)
    return LanguageReport(
        lang=lang,
        decision=decision,
        metric=found.metric,
        tokenizer=found.tokenizer.name,
        active=found.active,
        candidate=found.candidate,
        difference=found.difference,
        p=found.p,
        low=found.low,
        high=found.high,
        note=found.tokenizer.note,
    )
