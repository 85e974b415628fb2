"""The measures answers are judged by: records of numbers, for whoever reads a report and computes none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

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
