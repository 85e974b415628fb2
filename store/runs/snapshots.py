"""The pairs of a run, fixed when it begins: what it trains on, is judged by, and is watched by."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from store.database import Database
from store.pairs import pair_of
from store.records import Snapshot


class Snapshots:
    """The part of ``desk.runs`` for the pairs of runs."""

    _db: Database

    def set_snapshot(
        self,
        run_id: int,
        train: Iterable[tuple[int, int]],
        heldout: Iterable[int],
        data_hash: str,
        validation: Iterable[int] = (),
    ) -> None:
        """Fix what the run trains on (pair id, weight), is judged by, and is watched by while it trains. From here on
        those questions never change from training to test."""
        with self._db.atomic():
            self._db.run("DELETE FROM run_pairs WHERE run_id = ?", run_id)
            rows = [(run_id, pair, "train", weight) for pair, weight in train]
            rows += [(run_id, pair, "heldout", 1) for pair in heldout]
            rows += [(run_id, pair, "validation", 1) for pair in validation]
            self._db.many("INSERT INTO run_pairs VALUES (?, ?, ?, ?)", rows)
            self._db.run(
                "UPDATE splits SET used_by_run = ? WHERE used_by_run IS NULL AND key IN ("
                "SELECT p.key FROM pairs p JOIN run_pairs r ON r.pair_id = p.id WHERE r.run_id = ?)",
                run_id,
                run_id,
            )
            self._db.run("UPDATE runs SET data_hash = ? WHERE id = ?", data_hash, run_id)

    def snapshot(self, run_id: int) -> Snapshot:
        """What :meth:`set_snapshot` and :meth:`set_mistakes` fixed."""
        rows = self._db.all(
            "SELECT p.*, s.split, r.split AS side, r.weight FROM run_pairs r JOIN pairs p ON p.id = r.pair_id "
            "JOIN splits s ON s.key = p.key WHERE r.run_id = ? ORDER BY p.id",
            run_id,
        )
        sides = {side: [row for row in rows if row["side"] == side] for side in ("train", "heldout", "validation")}
        return Snapshot(
            [(pair_of(row), row["weight"]) for row in sides["train"]],
            [pair_of(row) for row in sides["heldout"]],
            [pair_of(row) for row in sides["validation"]],
            frozenset(row[0] for row in self._db.all("SELECT reply_id FROM run_mistakes WHERE run_id = ?", run_id)),
        )

    def set_mistakes(self, run_id: int, replies: Iterable[int]) -> None:
        """Fix which wrong replies the run learns from; to be called before :meth:`set_snapshot`, which ends it."""
        with self._db.atomic():
            self._db.run("DELETE FROM run_mistakes WHERE run_id = ?", run_id)
            rows = [(run_id, reply) for reply in replies]
            self._db.many("INSERT INTO run_mistakes (run_id, reply_id) VALUES (?, ?)", rows)

    def trained_on(self, run_id: int) -> builtins.list[tuple[int, str, str]]:
        """The number, question and answer of each pair that :meth:`set_snapshot` fixed for training."""
        rows = self._db.all(
            "SELECT p.id, p.instruction, p.output FROM run_pairs r JOIN pairs p ON p.id = r.pair_id "
            "WHERE r.run_id = ? AND r.split = 'train' ORDER BY p.id",
            run_id,
        )
        return [(row["id"], row["instruction"], row["output"]) for row in rows]

    def trained_pairs(self, run_id: int) -> int:
        """How many pairs those are."""
        return int(self._db.value("SELECT count(*) FROM run_pairs WHERE run_id = ? AND split = 'train'", run_id))

    def pair_counts(self) -> dict[int, int]:
        """How many pairs each run trained on, by its number."""
        rows = self._db.all("SELECT run_id, count(*) AS n FROM run_pairs WHERE split = 'train' GROUP BY run_id")
        return {row["run_id"]: row["n"] for row in rows}
