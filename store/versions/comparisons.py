"""Comparisons: two versions' answers to one question, and which the operator found better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from store.database import Database
from store.text import clean
from store.times import now
from store.words import Exchange, Version

Vote = Literal["left", "right", "both", "neither"]


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote, and on what. ``versions`` and ``answers`` are left and right as they stood on the screen; ``blind``:
    without the versions' names."""

    question: str
    history: Sequence[Exchange]
    versions: tuple[Version, Version]
    answers: tuple[str, str]
    vote: Vote
    blind: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes on two versions, whichever side each was on: ``first`` and ``second`` count those for one of them."""

    first: int = 0
    second: int = 0
    both: int = 0
    neither: int = 0


class Comparisons:
    """The repository of ``desk.comparisons``: rows are added, never changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, ballot: Ballot, who: str) -> int:
        """Keep a vote. Returns its id."""
        return self._db.insert(
            "INSERT INTO comparisons (instruction, history, version_left, version_right, answer_left, answer_right, "
            "blind, vote, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            clean(ballot.question),
            json.dumps([list(exchange) for exchange in ballot.history], ensure_ascii=False),
            *ballot.versions,
            *(clean(answer) for answer in ballot.answers),
            int(ballot.blind),
            ballot.vote,
            now(),
            who,
        )

    def tally(self, first: Version, second: Version) -> Tally:
        """Every vote there is on these two versions."""
        rows = self._db.all(
            "SELECT version_left = ? AS in_order, vote, count(*) AS votes FROM comparisons WHERE vote IS NOT NULL "
            "AND (version_left = ? AND version_right = ? OR version_left = ? AND version_right = ?) GROUP BY 1, 2",
            first,
            first,
            second,
            second,
            first,
        )
        counts = {"first": 0, "second": 0, "both": 0, "neither": 0}
        for row in rows:
            sides = {"left": "first", "right": "second"} if row["in_order"] else {"left": "second", "right": "first"}
            counts[sides.get(row["vote"], row["vote"])] += row["votes"]
        return Tally(**counts)
