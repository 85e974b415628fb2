"""The pairs that came of judging a reply: one counts, and what was taken back leaves none."""

from __future__ import annotations

from store.database import Database
from store.errors import Refused
from store.pairs.conditions import LIVE
from store.pairs.new import CORRECTED, REJECTED, WITHDRAWN, PairWriter
from store.times import now


class JudgedPairs:
    """The part of ``desk.pairs`` for what came of judgements."""

    _db: Database
    writer: PairWriter

    def supersede_of_reply(self, reply_id: int, pair_id: int) -> None:
        """Let the newest judgement of a reply be the only one that counts."""
        self._db.run(
            "UPDATE pairs SET superseded_by = ? WHERE reply_id = ? AND id != ? AND superseded_by IS NULL",
            pair_id,
            reply_id,
            pair_id,
        )

    def reject(self, reply_id: int, who: str) -> None:
        """Keep the pair of a reply that is found wrong out."""
        self._db.run(
            f"UPDATE pairs AS p SET excluded_at = ?, excluded_by = ?, excluded_why = ? WHERE p.reply_id = ? AND {LIVE}",
            now(),
            who,
            REJECTED,
            reply_id,
        )

    def unreject(self, reply_id: int, who: str) -> None:
        """Undo :meth:`reject`."""
        self._db.run(
            "UPDATE pairs SET excluded_at = NULL, excluded_by = ?, excluded_why = NULL "
            "WHERE reply_id = ? AND excluded_why = ? AND superseded_by IS NULL",
            who,
            reply_id,
            REJECTED,
        )

    def withdraw(self, ref: str, reply_id: int, who: str) -> None:
        """Take the pair that came of the judgement *ref* out: what it superseded stands again, and the tests that it
        put out come back, unless another correction of their question stands or a run trained on it. To be called
        inside a transaction. Raises :class:`Refused` if a run has used the pair."""
        rows = self._db.all("SELECT id, key, source FROM pairs WHERE reply_id = ? AND source_ref = ?", reply_id, ref)
        for row in rows:
            run = self._db.value("SELECT min(run_id) FROM run_pairs WHERE pair_id = ?", row["id"])
            if run is not None:
                raise Refused(
                    f"Run {run} has used this judgement, so it can't be undone. Nothing was changed; correct the "
                    "reply again, or exclude its pair."
                )
        for row in rows:
            self._db.run(
                "UPDATE pairs SET excluded_at = ?, excluded_by = ?, excluded_why = ? WHERE id = ?",
                now(),
                who,
                WITHDRAWN,
                row["id"],
            )
            self._db.run("UPDATE pairs SET superseded_by = NULL WHERE superseded_by = ?", row["id"])
            if row["source"] == "correction":
                self._bring_back(row["key"], who)

    def _bring_back(self, key: str, who: str) -> None:
        """The tests that withdrawn corrections of a question had put out."""
        if self._db.one(f"SELECT 1 FROM pairs p WHERE p.key = ? AND p.source = 'correction' AND {LIVE}", key):
            return
        trained = "SELECT 1 FROM run_pairs r JOIN pairs p ON p.id = r.pair_id WHERE p.key = ? AND r.split = 'train'"
        displaced = (
            "p.key = ? AND p.excluded_why = ? AND EXISTS "
            "(SELECT 1 FROM pairs d WHERE d.id = p.displaced_by AND d.excluded_why = ?)"
        )
        values = (key, CORRECTED, WITHDRAWN)
        if self._db.one(trained, key) or not self._db.one(f"SELECT 1 FROM pairs p WHERE {displaced}", *values):
            return
        self.writer.set_side(key, "heldout", "withdrawal")
        self._db.run(
            f"UPDATE pairs AS p SET excluded_at = NULL, excluded_by = ?, excluded_why = NULL WHERE {displaced}",
            who,
            *values,
        )
