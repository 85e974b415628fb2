"""What the gate tolerates, in one place, each number with its reason."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class GateMargins:
    """The gate's thresholds. Points are BLEU or chrF points on the scale from 0 to 100. ``margin``,
    ``large_drop``, ``alpha`` and ``min_pairs`` are settings of the desk.

    The error rates named below were simulated by ``benchmarks/gate_power.py`` (its table is
    ``benchmarks/results/gate_power.md``). Raises :class:`ValueError`, naming the field, for values that make no sense.
    """

    margin: float = 2.0
    """How many points a candidate may fall short of the active version. Two points are about the least difference
    that people notice between two systems."""
    large_drop: float = 15.0
    """A drop in BLEU or chrF that stands for itself: it is larger than allowed where the metric that decides sees
    nothing, and where there are too few pairs for ``margin`` to mean anything."""
    alpha: float = 0.05
    """How sure the sign test must be that a candidate is worse (one-sided mid-p); the interval leaves out as much on
    each side. See :meth:`level`."""
    sure_pairs: int = 40
    """From so many pairs ``alpha`` holds however few answers changed."""
    min_pairs: int = 20
    """Fewer held-out pairs of a language are not enough evidence to promote by."""
    interval_pairs: int = 100
    """From so many pairs the bootstrap interval of the difference is trustworthy, and is required to exclude a drop
    of more than ``margin``. On small sets bootstrap is too sure of itself (n=10: .011 where randomisation says .20)."""
    samples: int = 1000
    """Resamples of the interval: its ends are then known to about a tenth of its width."""
    seed: int = 12345
    """Their seed, so that the same answers always get the same verdict (sacrebleu's default; its environment variable
    SACREBLEU_SEED is not consulted)."""
    learned_chrf: float = 80.0
    """Sentence chrF from which an answer counts as saying what the correction says. On the canned workload different
    answers score 18 to 39 against each other (58 at most), and an answer with its last fifth replaced 75 to 86."""
    long_share: float = 0.5
    """The share of references with four tokens or more below which chrF decides instead of BLEU: BLEU's 4-gram
    precision would then rest on a minority of the answers."""

    answer_multiple: float = 2.0
    """Both versions' answers are cut at this multiple of their reference's length in tokens, while they are generated:
    a base that was never tuned would ramble to the token limit in each, and what follows is no answer any more."""
    answer_least: int = 24
    """Tokens that every answer may have, however short its reference is."""

    def __post_init__(self) -> None:
        _require(0 <= self.margin <= 100, "margin", "between 0 and 100")
        _require(self.margin <= self.large_drop <= 100, "large_drop", "between margin and 100")
        _require(0 < self.alpha < 0.5, "alpha", "above 0 and below 0.5")
        _require(self.sure_pairs >= 0, "sure_pairs", "0 or more")
        _require(1 <= self.min_pairs <= self.interval_pairs, "min_pairs", "between 1 and interval_pairs")
        _require(self.samples >= 100, "samples", "100 or more")
        _require(self.seed >= 0, "seed", "0 or more")
        _require(0 < self.learned_chrf <= 100, "learned_chrf", "above 0 and up to 100")
        _require(0 <= self.long_share <= 1, "long_share", "between 0 and 1")
        _require(self.answer_multiple == 0 or self.answer_multiple >= 1, "answer_multiple", "0 or at least 1")
        _require(self.answer_least >= 1, "answer_least", "1 or more")

    def level(self, pairs: int, changed: int) -> float:
        """The p of the sign test up to which so many pairs are evidence that the candidate is worse, if *changed*
        answers got better or worse.

        Below ``sure_pairs`` twice ``alpha`` is enough as long as so few changed that ``alpha`` is out of reach: of
        three that got worse the p is .0625. By exact sums, of equally good candidates 5 in 100 are then rejected at
        most, if up to six tenths of 10 to 400 answers changed (7, if all changed); with twice ``alpha`` throughout it
        would be 9 (13)."""
        reach = 0.5 ** (changed + 1)
        return 2 * self.alpha if pairs < self.sure_pairs and reach > self.alpha else self.alpha

    def limit(self, tokens: int) -> int | None:
        """The most tokens of an answer whose reference has so many; None: as many as replies may have."""
        return max(self.answer_least, math.ceil(self.answer_multiple * tokens)) if self.answer_multiple else None

    @classmethod
    def of(cls, margin: float, large_drop: float, alpha: float, min_pairs: int) -> GateMargins:
        """The defaults with what a desk's settings say; what must not be less than another grows with it."""
        return cls(
            margin=margin,
            large_drop=max(large_drop, margin),
            alpha=alpha,
            min_pairs=min_pairs,
            interval_pairs=max(cls().interval_pairs, min_pairs),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GateMargins:
        """The margins that :meth:`to_dict` wrote; fields it does not know are left out, missing ones get defaults, and
        reports from before answers were cut say so."""
        known = {field.name for field in fields(cls)}
        values = {"answer_multiple": 0.0} | values
        return cls(**{name: value for name, value in values.items() if name in known})


def _require(holds: bool, name: str, what: str) -> None:
    if not holds:
        raise ValueError(f"The gate's {name} must be {what}.")
