"""The measures answers are judged by: records of numbers, for whoever reads a report and computes none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from store.text import counted

MetricName = Literal["bleu", "chrf"]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well *n* answers match their references.

    ``bleu`` and ``chrf`` go from 0 to 100, ``exact`` (equal but for white space, case counts) from 0 to 1.
    ``signature`` is sacrebleu's: with it anybody can repeat the BLEU number.
    """

    bleu: float
    chrf: float
    exact: float
    n: int
    signature: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scores:
        """The scores that :meth:`to_dict` wrote."""
        return cls(**values)


SAMPLE = 100
"""Taught questions that a version is asked. By 100, a share of .9 is known to 6 points either way, one of .98 to 3."""
LITTLE = 0.8
"""The share of taught questions below which a version learned little. A version that says nine in ten as taught is
called that for a sample of 100 once in a thousand times, one that says seven in ten escapes it once in sixty."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What a version says to questions that it was taught.

    Of ``of`` taught questions ``asked`` were asked; ``exact`` answers are word for word what was taught, ``taught`` are
    as taught (:func:`finetune.gate.taught.as_taught`; the exact ones among them). ``shared`` of the questions asked had
    been taught to the active version too: it answered ``known`` of them as taught, of which the new version ``lost`` so
    many, and it ``gained`` so many of the others. ``fall_p``: how often chance alone takes as many away, counted by
    answers, whose phrasings are lost together (:func:`finetune.gate.signs.flip_p`)."""

    asked: int
    exact: int
    taught: int
    of: int
    shared: int = 0
    known: int = 0
    lost: int = 0
    gained: int = 0
    fall_p: float = 0.5

    @property
    def share(self) -> float:
        """Of the questions asked, answered as taught: 0 to 1."""
        return self.taught / max(1, self.asked)

    @property
    def exact_share(self) -> float:
        """Of the questions asked, answered word for word: 0 to 1."""
        return self.exact / max(1, self.asked)

    @property
    def kept(self) -> int:
        """What the active version answered as taught, and the new one does too."""
        return self.known - self.lost

    @property
    def little(self) -> bool:
        """Whether it learned little."""
        return self.share < LITTLE

    @property
    def words(self) -> str:
        """The numbers, as part of a sentence: "answers 96 of 100 taught questions as taught"."""
        return f"answers {self.taught:,} of {counted(self.asked, 'taught question')} as taught"

    @property
    def details(self) -> str:
        """What else there is to know: how many word for word, of how many, and what became of what was known."""
        told = [f"{self.exact:,} word for word"]
        if self.of > self.asked:
            told.append(f"{self.asked:,} of {self.of:,} were asked")
        if self.known:
            told.append(f"{self.kept:,} of the {self.known:,} that the version before knew")
        return "; ".join(told)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "share": self.share, "exact_share": self.exact_share, "kept": self.kept}
