"""How the desk's versions came along: a few numbers for each, oldest first."""

from __future__ import annotations

from dataclasses import dataclass

from store.conversations.quality import Rate
from store.desk import Desk
from store.words import Version
from tui.core.adapters import overview


@dataclass(frozen=True, slots=True)
class Milestone:
    """One version ("base" or "vN"): BLEU on its gate's held-out pairs (0 to 100), pairs it was trained on, and what
    operators made of all its replies. None: there is no such number."""

    version: Version
    active: bool
    bleu: float | None
    pairs: int | None
    rate: Rate


def history(desk: Desk) -> list[Milestone]:
    """Every version of *desk*, the base first."""
    rates = desk.quality.rates()
    return [
        Milestone(row.version, row.active, row.bleu, row.pairs, rates.get(row.version, Rate()))
        for row in overview(desk)
    ]
