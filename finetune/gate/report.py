"""What the gate is asked and what it finds: records that go through JSON and come back equal.

Reports of runs are kept for good, so those of older desks are read as well, and of a damaged one what is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from finetune.gate.exposure import Exposure
from finetune.gate.general import Drift
from finetune.gate.margins import GateMargins
from finetune.gate.measures import MetricName, Recall, Scores
from finetune.gate.risk import EqualRisk
from finetune.gate.words import Decision, HeldReason, TroubleKind, held_reason
from finetune.stored import each, made, made_or_none
from store.records import JudgedAnswer, Run
from store.words import OutcomeName, Verdict

_SIDES = ("active", "candidate")
_COUNTS = ("better", "worse", "clusters", "changed")


@dataclass(frozen=True, slots=True)
class GateItem:
    """One question's answers: the active version's (``before``), the candidate's (``after``), and the right one."""

    pair_id: int
    lang: str
    target: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """The held-out pairs of one language, judged by its own tokenizer.

    ``difference`` is candidate minus active in ``metric``, the one that decides; ``low`` and ``high`` are the ends of
    its interval, or None below ``GateMargins.interval_pairs``. ``better`` and ``worse`` count the answers that came
    closer to what should be said or went further away, ``clusters`` the different right answers, ``changed`` those
    whose questions came out better or worse all in all, and ``p`` is the one-sided sign test on them (reports from
    before it hold no counts, and the two-sided p of a randomisation test). ``note`` says what to know about the
    numbers, such as a tokenizer that is not installed.
    """

    lang: str
    decision: Decision
    metric: MetricName
    tokenizer: str
    active: Scores
    candidate: Scores
    difference: float
    p: float
    low: float | None = None
    high: float | None = None
    note: str | None = None
    better: int = 0
    worse: int = 0
    clusters: int = 0
    changed: int = 0

    @property
    def n(self) -> int:
        """The number of held-out pairs."""
        return self.active.n

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what was not counted is left out."""
        body = {**asdict(self), "n": self.n}
        return body if self.clusters else {name: value for name, value in body.items() if name not in _COUNTS}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LanguageReport:
        """The report that :meth:`to_dict` wrote. Raises :class:`ValueError` if a number is missing."""
        scores = {side: {"n": values["n"], **_given(values[side])} for side in _SIDES}
        rest = {"decision": "too few", "metric": "bleu", "tokenizer": "", "difference": 0.0, **_given(values)}
        return made({**rest, **scores}, cls)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one correction; the texts are among the report's ``answers``. chrF goes from 0 to 100."""

    pair_id: int
    outcome: OutcomeName
    chrf_before: float
    chrf_after: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was wrong with a training that did not fail: what was found, and what to change."""

    kind: TroubleKind
    finding: str
    advice: str

    @property
    def sentence(self) -> str:
        """Both, for a log."""
        return f"{self.finding} {self.advice}"

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self) | {"sentence": self.sentence}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Trouble:
        """The trouble that :meth:`to_dict` wrote. Raises :class:`ValueError`."""
        return made({"kind": "loss", **values}, cls)


@dataclass(frozen=True, slots=True)
class Sides:
    """One measure's total for both versions; see :func:`sides`. None: nothing was measured."""

    active: float | None = None
    candidate: float | None = None


@dataclass(frozen=True, slots=True)
class GateReport:
    """The gate's verdict with everything it rests on, and what else a run found out about its version.

    ``sentence`` is for the operator. ``held``: why the version is held, if it is. ``answers`` holds what was compared,
    for the table of judged answers; it is left out of :meth:`to_dict`, so that a report copied beside an adapter holds
    numbers and no customer's text.
    """

    verdict: Verdict
    sentence: str
    languages: tuple[LanguageReport, ...] = ()
    corrections: tuple[Outcome, ...] = ()
    margins: GateMargins = field(default_factory=GateMargins)
    answers: tuple[JudgedAnswer, ...] = field(default=(), compare=False, repr=False)
    bleu: Sides = Sides()
    chrf: Sides = Sides()
    exact: Sides = Sides()
    held: HeldReason | None = None
    recall: Recall | None = None
    drift: Drift | None = None
    exposure: Exposure | None = None
    risk: EqualRisk | None = None
    troubles: tuple[Trouble, ...] = ()

    @property
    def pairs(self) -> int:
        """The number of held-out pairs, all languages together."""
        return sum(language.n for language in self.languages)

    @property
    def lost(self) -> int:
        """The number of held-out answers that got worse."""
        return sum(language.worse for language in self.languages)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about the numbers, a sentence each."""
        return tuple(language.note for language in self.languages if language.note)

    def count(self, outcome: OutcomeName) -> int:
        """How many corrections had this outcome."""
        return sum(correction.outcome == outcome for correction in self.corrections)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        body = {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "held": self.held,
            "pairs": self.pairs,
            "bleu": asdict(self.bleu),
            "chrf": asdict(self.chrf),
            "exact": asdict(self.exact),
            "languages": [language.to_dict() for language in self.languages],
            "corrections": [asdict(correction) for correction in self.corrections],
            "learned": self.count("learned"),
            "not_learned": self.count("not learned"),
            "regressed": self.count("regressed"),
            "margins": self.margins.to_dict(),
            "troubles": [trouble.to_dict() for trouble in self.troubles],
        }
        if self.recall is not None:
            body["recall"] = self.recall.to_dict()
        if self.drift is not None:
            body["drift"] = {**asdict(self.drift), "sentence": self.drift.sentence}
        if self.exposure is not None:
            body["exposure"] = self.exposure.to_dict()
        if self.risk is not None:
            body["risk"] = self.risk.to_dict()
        return body

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GateReport:
        """The report that :meth:`to_dict` wrote, without its answers; of one that is damaged, what is whole."""
        verdict: Verdict = made_or_none(values.get("verdict"), Verdict) or "inconclusive"
        languages = tuple(each(values.get("languages"), LanguageReport.from_dict))
        held = made_or_none(values.get("held"), HeldReason)
        return cls(
            verdict=verdict,
            sentence=made_or_none(values.get("sentence"), str) or "",
            languages=languages,
            corrections=tuple(each(values.get("corrections"), lambda entry: made(entry, Outcome))),
            margins=next(each([values.get("margins", {})], GateMargins.from_dict), GateMargins()),
            bleu=made_or_none(values.get("bleu"), Sides) or Sides(),
            chrf=made_or_none(values.get("chrf"), Sides) or Sides(),
            exact=made_or_none(values.get("exact"), Sides) or Sides(),
            held=held or held_reason(verdict, [language.decision for language in languages]),
            recall=made_or_none(values.get("recall"), Recall),
            drift=made_or_none(values.get("drift"), Drift),
            exposure=made_or_none(values.get("exposure"), Exposure),
            risk=made_or_none(values.get("risk"), EqualRisk),
            troubles=tuple(each(values.get("troubles"), Trouble.from_dict)),
        )


def report_of(run: Run | None) -> GateReport | None:
    """What the gate found about the version of *run*; None if it did not get so far."""
    return GateReport.from_dict({"verdict": run.verdict, **run.report}) if run is not None and run.report else None


def sides(languages: Sequence[LanguageReport], name: MetricName | Literal["exact"]) -> Sides:
    """One measure's total over all *languages*."""
    return Sides(
        total([language.active for language in languages], name),
        total([language.candidate for language in languages], name),
    )


def total(scores: Sequence[Scores], name: str) -> float | None:
    """One number for several languages: their mean, weighted by the number of pairs. None if there are none.

    BLEU of different tokenizers is no common scale, so this is for lists and cards; verdicts never rest on it.
    """
    n = sum(score.n for score in scores)
    return sum(float(getattr(score, name)) * score.n for score in scores) / n if n else None


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
