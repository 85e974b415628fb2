"""Two versions at equal risk, as lines: how many of the held-out questions each would answer by itself."""

from __future__ import annotations

from collections.abc import Iterator

from finetune.gate.risk import RISKS, EqualRisk
from store.words import Version
from tui.core.run_words import bar

BAR = 24  # columns: with the numbers it fits beside a list


def risk_lines(risk: EqualRisk, active: Version, candidate: Version) -> Iterator[str]:
    """A head, and a line for each share of wrong answers: both versions' shares, and the candidate's as a bar."""
    before = risk.active
    yield f"{'Wrong, of those given':<22}{active if before else '':>6}{candidate:>6}  answered by itself"
    for place, accepted in enumerate(RISKS):
        mine = risk.candidate.at[place]
        theirs = "" if before is None else f"{before.at[place]:.0%}"
        yield f"{f'at most {accepted:.0%}':<22}{theirs:>6}{mine:>6.0%}  {bar(mine, BAR)}"
