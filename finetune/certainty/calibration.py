"""A version's calibration: the weights that make a chance of a reply's features, and how far chances can be trusted.

It is kept with the version, in numbers alone. The rule for the threshold is that of conformal selection (Jin & Candès,
"Selection by prediction with conformal p-values", 2023): of the replies it would have given, one more is counted as
wrong than there were. So a desk needs 19 right replies in a row before it accepts 5 % of wrong ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from finetune.certainty.chances import Observation, Weights, cross_fitted, fit
from finetune.gate.risk import RISKS, Coverage, EqualRisk
from finetune.stored import made

GRID = 100  # thresholds are whole percents


@dataclass(frozen=True, slots=True)
class Tally:
    """Replies: ``right`` and ``wrong`` ones to held-out questions, and those to questions without an answer here
    (``others``), which count as often as all held-out questions together."""

    right: float = 0.0
    wrong: float = 0.0
    others: float = 0.0

    @property
    def share_wrong(self) -> float:
        """The share of wrong ones, with one more than there were."""
        return (self.wrong + self.others + 1) / (self.right + self.wrong + self.others + 1)


@dataclass(frozen=True, slots=True)
class Calibration:
    """``weights``, and for each whole percent the replies of that chance (rounded down), by weights that did not know
    them. ``heldout`` and ``others``: how many replies it rests on."""

    weights: Weights
    steps: tuple[Tally, ...]
    heldout: int
    others: int

    def threshold(self, accepted: float) -> float:
        """The least chance from which replies are given, so that at most the share *accepted* of them is wrong. Where
        the replies seen are too few to promise that, each must have the chance by itself: ``1 - accepted``."""
        fit_for_it = [place for place, tally in enumerate(self.given()) if tally.share_wrong <= accepted]
        return min(fit_for_it) / GRID if fit_for_it else 1 - accepted

    def promised(self, accepted: float) -> bool:
        """Whether enough replies were seen for the share *accepted*."""
        return any(tally.share_wrong <= accepted for tally in self.given())

    def at(self, accepted: float) -> Tally:
        """The replies that would be given at *accepted*."""
        return self.given()[math.ceil(round(self.threshold(accepted) * GRID, 6))]

    def coverage(self, accepted: float) -> Coverage:
        """What would be answered and what handed over."""
        given, whole = self.at(accepted), self.given()[0]
        heldout, others = (whole.right + whole.wrong) or 1, whole.others or 1
        shares = [(tally.right + tally.wrong) / heldout for tally in (*map(self.at, RISKS), given)]
        rest = [round(share, 4) for share in shares]
        return Coverage(tuple(rest[:-1]), rest[-1], round(1 - given.others / others, 4), self.promised(accepted))

    def given(self) -> list[Tally]:
        """For each threshold the replies that would be given."""
        return list(accumulate(reversed(self.steps), _plus))[::-1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        steps = {
            str(place): [round(value, 3) for value in (tally.right, tally.wrong, tally.others)]
            for place, tally in enumerate(self.steps)
            if tally != Tally()
        }
        return {"weights": asdict(self.weights), "steps": steps, "heldout": self.heldout, "others": self.others}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """The calibration that :meth:`to_dict` wrote. Raises :class:`ValueError` if it is damaged."""
        steps = made(values.get("steps"), dict[str, tuple[float, float, float]])
        whole = tuple(Tally(*steps.get(str(place), (0.0, 0.0, 0.0))) for place in range(GRID + 1))
        counts = (made(values.get(name), int) for name in ("heldout", "others"))
        return cls(made(values.get("weights"), Weights), whole, *counts)


def calibrate(seen: Sequence[Observation]) -> Calibration:
    """The calibration of a version whose replies were *seen*; takes a second for a thousand. Those without an answer
    here are weighed so that they count as often as the held-out ones together: half of what customers ask has no answer
    here, until something is known."""
    heldout = sum(one.taught for one in seen)
    others = len(seen) - heldout
    weight = heldout / others if others and heldout else 1.0
    weighed = [
        one if one.taught else Observation(one.features, one.right, one.answer, one.taught, weight) for one in seen
    ]
    steps = [Tally()] * (GRID + 1)
    for one, chance in zip(weighed, cross_fitted(weighed), strict=True):
        new = Tally(0, 0, one.weight) if not one.taught else Tally(right=1) if one.right else Tally(wrong=1)
        place = int(chance * GRID)
        steps[place] = _plus(steps[place], new)
    return Calibration(fit(weighed), tuple(steps), heldout, others)


def equal_risk(versions: Sequence[Calibration], accepted: float) -> EqualRisk | None:
    """The candidate and, if it comes second, the active version at the share *accepted* of wrong answers; None without
    a held-out question."""
    if not versions[0].heldout:
        return None
    candidate, *active = [one.coverage(accepted) for one in versions]
    return EqualRisk(accepted, versions[0].heldout, candidate, active[0] if active else None)


def _plus(one: Tally, other: Tally) -> Tally:
    return Tally(one.right + other.right, one.wrong + other.wrong, one.others + other.others)
