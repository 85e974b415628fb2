"""The verdict in one plain sentence for the operator: what was found, in numbers, and what happens now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finetune.gate.margins import GateMargins
from finetune.gate.report import LanguageReport, Outcome
from finetune.gate.words import HeldReason, capital
from store.words import Verdict

_NAMES = {
    "en": "English",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the gate found; ``held``: why it holds the candidate back, if it does."""

    verdict: Verdict
    languages: Sequence[LanguageReport]
    outcomes: Sequence[Outcome]
    held: HeldReason | None


@dataclass(frozen=True, slots=True)
class Names:
    """What the two versions are called in a sentence."""

    active: str
    candidate: str


def verdict_sentence(found: Finding, margins: GateMargins, names: Names) -> str:
    """The sentence of a report."""
    return f"{finding(found, margins, names)} {consequence(found, names)}"


def finding(found: Finding, margins: GateMargins, names: Names) -> str:
    """What was found, in numbers."""
    head = _head(found, names)
    parts = [_numbers(language, margins, name=len(found.languages) > 1) for language in found.languages]
    if found.outcomes:
        parts.append(corrections_phrase(found.outcomes))
    joint = ": " if found.languages else "; "
    if parts:
        head = f"{head}{joint}{'; '.join(parts)}"
    return f"{capital(head)}."


def corrections_phrase(outcomes: Sequence[Outcome]) -> str:
    """How many corrections were learned, as in "2 of 3 corrections learned, 1 regressed"."""
    counts = {
        name: sum(outcome.outcome == name for outcome in outcomes) for name in ("learned", "not learned", "regressed")
    }
    all_of_them = f"{len(outcomes)} correction{'s' if len(outcomes) != 1 else ''}"
    if counts["learned"] == 0:
        phrase = f"none of {all_of_them} learned" if len(outcomes) > 1 else "the one correction not learned"
        return phrase if not counts["regressed"] else f"{phrase}, {counts['regressed']} regressed"
    if len(outcomes) == 1:
        return "the one correction learned"
    rest = [f"{counts[name]} {name}" for name in ("not learned", "regressed") if counts[name]]
    return ", ".join([f"{counts['learned']} of {all_of_them} learned", *rest])


def _head(found: Finding, names: Names) -> str:
    active, candidate = names.active, names.candidate
    if found.verdict == "promote":
        return f"{candidate} is not worse than {active}"
    if found.verdict == "reject":
        return f"{candidate} is worse than {active}"
    if not found.languages:
        return f"there are no held-out pairs to judge {candidate} by"
    if found.held is HeldReason.NOT_LEARNED:
        return f"{candidate} is not worse than {active}, but it did not learn what it was trained for"
    if found.held is HeldReason.UNCLEAR:
        return f"the held-out pairs can't tell whether {candidate} is worse than {active}"
    return f"there are too few held-out pairs to judge {candidate} by"


def _numbers(language: LanguageReport, margins: GateMargins, name: bool) -> str:
    """One language's numbers, and why it was decided as it was."""
    first, second = language.active, language.candidate
    unit = "pair" if language.n == 1 else "pairs"
    where = f"{_NAMES.get(language.lang, language.lang)}, " if name else ""
    text = (
        f"{where}BLEU {second.bleu:.1f} against {first.bleu:.1f}, chrF {second.chrf:.1f} against {first.chrf:.1f}, "
        f"exact {second.exact:.0%} against {first.exact:.0%} on {language.n} held-out {unit}"
    )
    return f"{text} ({_why(language, margins)})"


def _why(language: LanguageReport, margins: GateMargins) -> str:
    unit = "BLEU" if language.metric == "bleu" else "chrF"
    chance = f"p {language.p:.3f}" if language.p >= 0.001 else "p below 0.001"
    if language.decision == "too few":
        return f"{margins.min_pairs} needed"
    if language.decision == "unclear":
        return f"a drop of up to {-(language.low or 0.0):.1f} {unit} can't be excluded, allowed are {margins.margin:g}"
    if language.decision == "worse":
        if min(language.difference, language.candidate.chrf - language.active.chrf) <= -margins.large_drop:
            return f"a drop of {margins.large_drop:g} points or more"
        if language.difference < -margins.margin:
            return f"allowed is a drop of {margins.margin:g} {unit}, {chance}"
        return f"a small drop, but not by chance: {chance}"
    if language.low is not None and language.high is not None:
        level = 1 - 2 * margins.alpha
        return f"difference {language.low:+.1f} to {language.high:+.1f} {unit} with {level:.0%} confidence, {chance}"
    return chance


def consequence(found: Finding, names: Names) -> str:
    """What happens now."""
    if found.verdict == "promote":
        return f"{capital(names.candidate)} can answer from now on."
    if found.verdict == "reject":
        return f"{capital(names.active)} goes on answering."
    advice = " Approve replies, import pairs or pin tests to give the check something to measure."
    until = f"{capital(names.active)} goes on answering until you decide whether to activate {names.candidate}."
    return until if found.languages else until + advice
