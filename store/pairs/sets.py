"""What a run would train on, and what a gate would judge by."""

from __future__ import annotations

import builtins

from store.database import Database
from store.pairs.conditions import COUNTS, FLAGGED, LIVE, SEEN_BY_ACTIVE, pair_of
from store.pairs.selection import PairSelection
from store.records import Pair
from store.settings import SettingsTable


class PairSets(PairSelection):
    """The part of ``desk.pairs`` that runs and gates ask."""

    _db: Database
    _settings: SettingsTable

    def training_set(self) -> builtins.list[tuple[Pair, bool]]:
        """Every pair a run would train on, each with whether it is new: a correction the
        active version has not seen. Of several corrections of one question the newest counts."""
        rows = self._db.all(
            f"""
SELECT p.*, s.split, p.source = 'correction' AND NOT {SEEN_BY_ACTIVE} AS is_new
FROM pairs p JOIN splits s ON s.key = p.key
WHERE {LIVE} AND s.split = 'train' AND {COUNTS} AND {self.may_train()} ORDER BY p.id
"""
        )
        unreadable = self._unreadable()
        return [(pair_of(row), bool(row["is_new"])) for row in rows if row["id"] not in unreadable]

    def may_train(self) -> str:
        """The condition under which the desk's policy lets a live pair ``p`` train."""
        return f"NOT {FLAGGED}" if self._settings.load().personal_data == "block" else "1"

    def heldout_set(self) -> builtins.list[Pair]:
        """Every pair a gate would judge by."""
        unreadable = self._unreadable()
        return [pair for pair in self.list(split="heldout") if pair.id not in unreadable]

    def _unreadable(self) -> set[int]:
        """Pairs whose history is damaged: without it their answer may be wrong, so nothing is learned from them."""
        return {row["id"] for row in self._db.all("SELECT id FROM pairs WHERE NOT json_valid(history)")}

    def last_id(self) -> int:
        """The number of the newest pair; 0 if there is none."""
        return int(self._db.value("SELECT coalesce(max(id), 0) FROM pairs"))

    def longest_answers(self, count: int = 8) -> builtins.list[str]:
        """The longest outputs of live pairs, by their bytes."""
        rows = self._db.all(
            "SELECT output FROM pairs WHERE excluded_at IS NULL AND superseded_by IS NULL "
            "ORDER BY length(CAST(output AS BLOB)) DESC LIMIT ?",
            count,
        )
        return [row["output"] for row in rows]
