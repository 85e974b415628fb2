"""Two versions at equal risk: how much each would answer by itself if so many of its answers may be wrong.

It is told, and is no part of the verdict: each version's threshold is estimated on the pairs it is then counted on, so
on a hundred of them an equally good version may well answer a tenth less. The verdict's tests are paired: what they
compare is every answer with the other version's to the same question."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

RISKS = (0.01, 0.02, 0.05, 0.1, 0.2)  # shares of wrong answers at which versions are compared


@dataclass(frozen=True, slots=True)
class Coverage:
    """One version: the share of the held-out questions it answers at each of :data:`RISKS`, and at the share that the
    desk accepts (``accepted``); ``handed_over``: the share of questions without an answer here that it hands over
    there. ``promised``: whether it was asked enough to promise that share."""

    at: tuple[float, ...]
    accepted: float
    handed_over: float
    promised: bool


@dataclass(frozen=True, slots=True)
class EqualRisk:
    """Both versions (``active`` None: it was taught nothing) at the share ``accepted`` of wrong answers, on ``heldout``
    questions."""

    accepted: float
    heldout: int
    candidate: Coverage
    active: Coverage | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def sentence(self, active: str, candidate: str) -> str:
        """For the operator; the two are the versions' names."""
        mine = f"{candidate} answers {self.candidate.accepted:.0%} of the held-out questions by itself"
        if self.active is not None:
            mine += f", {active} {self.active.accepted:.0%}"
        told = (
            f"If {self.accepted:.3g} of the answers given may be wrong, {mine}; "
            f"it hands over {self.candidate.handed_over:.0%} of those that have no answer here."
        ).replace(f"{self.accepted:.3g} of", f"{100 * self.accepted:.3g} % of")
        if not self.candidate.promised:
            told += " There are too few held-out questions to promise that: more of them make it answer more."
        return told
