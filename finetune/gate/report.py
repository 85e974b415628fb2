"""What the gate is asked and what it finds: plain records that go through JSON and come back equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from finetune.gate.comparison import MetricName
from finetune.gate.margins import GateMargins
from finetune.gate.scores import Scores
from store.records import JudgedAnswer, Verdict

Decision = Literal["pass", "worse", "unclear", "too few"]
OutcomeName = Literal["learned", "not learned", "regressed"]


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

    ``difference`` is candidate minus active in ``metric``, the one that decides; ``p`` is two-sided; ``low`` and
    ``high`` are the ends of the difference's interval, or None below ``GateMargins.interval_pairs``. ``note`` says
    what to know about the numbers, such as a tokenizer that is not installed.
    """

    lang: str
    decision: Decision
    metric: MetricName
    tokenizer: str
    active: Scores
    candidate: Scores
    difference: float
    p: float
    low: float | None
    high: float | None
    note: str | None = None

    @property
    def n(self) -> int:
        """The number of held-out pairs."""
        return self.active.n

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "n": self.n}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> LanguageReport:
        """The report that :meth:`to_dict` wrote."""
        rest = {name: value for name, value in values.items() if name not in ("n", "active", "candidate")}
        return cls(active=Scores.from_dict(values["active"]), candidate=Scores.from_dict(values["candidate"]), **rest)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one correction; the texts are among the report's ``answers``. chrF goes from 0 to 100."""

    pair_id: int
    outcome: OutcomeName
    chrf_before: float
    chrf_after: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Outcome:
        """The outcome that :meth:`to_dict` wrote."""
        return cls(**values)


@dataclass(frozen=True, slots=True)
class GateReport:
    """The gate's verdict with everything it rests on.

    ``sentence`` is for the operator. ``answers`` holds what was compared, for the table of judged answers; it is left
    out of :meth:`to_dict`, so that a report copied beside an adapter holds numbers and no customer's text.
    """

    verdict: Verdict
    sentence: str
    languages: tuple[LanguageReport, ...]
    corrections: tuple[Outcome, ...]
    margins: GateMargins = field(default_factory=GateMargins)
    answers: tuple[JudgedAnswer, ...] = field(default=(), compare=False, repr=False)

    @property
    def pairs(self) -> int:
        """The number of held-out pairs, all languages together."""
        return sum(language.n for language in self.languages)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about the numbers, a sentence each."""
        return tuple(language.note for language in self.languages if language.note)

    def count(self, outcome: OutcomeName) -> int:
        """How many corrections had this outcome."""
        return sum(correction.outcome == outcome for correction in self.corrections)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. ``bleu``, ``chrf`` and ``exact`` hold the active version's and the candidate's
        total; see :func:`total`."""
        active, candidate = [
            [getattr(language, side) for language in self.languages] for side in ("active", "candidate")
        ]
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "pairs": self.pairs,
            **{
                name: {"active": total(active, name), "candidate": total(candidate, name)}
                for name in ("bleu", "chrf", "exact")
            },
            "languages": [language.to_dict() for language in self.languages],
            "corrections": [correction.to_dict() for correction in self.corrections],
            "learned": self.count("learned"),
            "not_learned": self.count("not learned"),
            "regressed": self.count("regressed"),
            "margins": self.margins.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GateReport:
        """The report that :meth:`to_dict` wrote, without its answers."""
        return cls(
            verdict=values["verdict"],
            sentence=values["sentence"],
            languages=tuple(LanguageReport.from_dict(language) for language in values["languages"]),
            corrections=tuple(Outcome.from_dict(correction) for correction in values["corrections"]),
            margins=GateMargins.from_dict(values.get("margins", {})),
        )


def total(scores: Sequence[Scores], name: str) -> float | None:
    """One number for several languages: their mean, weighted by the number of pairs. None if there are none.

    BLEU of different tokenizers is no common scale, so this is for lists and cards; verdicts never rest on it.
    """
    n = sum(score.n for score in scores)
    return sum(float(getattr(score, name)) * score.n for score in scores) / n if n else None
