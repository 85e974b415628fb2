"""The verdict in one plain sentence for the operator: what was found, in numbers, and what happens now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finetune.gate.margins import GateMargins
from finetune.gate.report import LanguageReport, Outcome
from finetune.gate.words import HeldReason, capital
from store.text import counted
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
EVEN = 0.5  # p of as many answers better as worse; above it there is nothing to explain


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
        return f"{candidate} may be worse than {active}"
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
    """What decided: how many answers changed for the worse, whether that may be chance, what is allowed."""
    told = [changes_phrase(language.better, language.worse)]
    if language.p < EVEN:
        told.append(chance(language.p))
    unit = "BLEU" if language.metric == "bleu" else "chrF"
    allowed = f"allowed is a drop of {margins.margin:g} {unit}"
    large = min(language.difference, language.candidate.chrf - language.active.chrf) <= -margins.large_drop
    if language.decision == "too few":
        told.append(f"{margins.min_pairs} pairs needed")
    elif language.decision == "worse":
        told.append(f"a drop of {margins.large_drop:g} points or more" if large else allowed)
    elif language.decision == "unclear":
        told.append(_doubt(language, margins, allowed, large))
    elif language.low is not None and language.high is not None:
        level = 1 - 2 * margins.alpha
        told.append(f"difference {language.low:+.1f} to {language.high:+.1f} {unit} with {level:.0%} confidence")
    return ", ".join(told)


def _doubt(language: LanguageReport, margins: GateMargins, allowed: str, large: bool) -> str:
    """Why it is unclear whether the candidate is worse."""
    if language.p <= margins.level(language.n, language.changed):
        return f"a small drop, but hardly by chance; {allowed}"
    if large:
        return f"a drop of {margins.large_drop:g} points or more, but it may be chance"
    if language.difference < -margins.margin:
        return f"the drop may be chance; {allowed}"
    unit = "BLEU" if language.metric == "bleu" else "chrF"
    return f"a drop of up to {-(language.low or 0.0):.1f} {unit} can't be excluded, allowed are {margins.margin:g}"


def chance(p: float) -> str:
    """How likely it is that chance alone explains the changes, as "p 0.031"."""
    return f"p {p:.3f}" if p >= 0.001 else "p below 0.001"


def changes_phrase(better: int, worse: int) -> str:
    """How many answers changed, as in "6 answers worse, 2 better"."""
    if not better and not worse:
        return "no answer better or worse"
    if not worse:
        return f"{counted(better, 'answer')} better, none worse"
    return f"{counted(worse, 'answer')} worse, {better or 'none'} better"


def consequence(found: Finding, names: Names) -> str:
    """What happens now."""
    if found.verdict == "promote":
        return f"{capital(names.candidate)} can answer from now on."
    if found.verdict == "reject":
        return f"{capital(names.active)} goes on answering."
    advice = " Approve replies, import pairs or pin tests to give the check something to measure."
    until = f"{capital(names.active)} goes on answering until you decide whether to activate {names.candidate}."
    if any(language.worse for language in found.languages):
        return f"{until} The report shows the answers that got worse, the worst first."
    return until if found.languages else until + advice
