"""What operators ask of a live run, whichever app it belongs to: its process looks here."""

from __future__ import annotations

from store.database import Database
from store.records import Wish
from store.runs.states import LIVE
from store.times import now
from store.words import RunWish


class Wishes:
    """The part of ``desk.runs`` for what is asked of them."""

    _db: Database

    def wish(self, run_id: int, wish: RunWish, who: str) -> bool:
        """Ask the process of a live run to end it; False if the run is not live. Any app on the desk may."""
        with self._db.atomic():
            if self._db.value("SELECT state FROM runs WHERE id = ?", run_id) not in LIVE:
                return False
            self._db.run(
                "INSERT INTO wishes (run_id, wish, after_state, created_at, created_by) "
                "VALUES (?, ?, (SELECT max(id) FROM run_states WHERE run_id = ?), ?, ?)",
                run_id,
                wish,
                run_id,
                now(),
                who,
            )
        return True

    def wished(self, run_id: int) -> Wish | None:
        """What was asked of the run since it was last started or resumed; the first word counts."""
        row = self._db.one(
            "SELECT wish, created_by FROM wishes WHERE run_id = ? AND after_state >= "
            "(SELECT max(id) FROM run_states WHERE run_id = ? AND state = 'queued') ORDER BY id LIMIT 1",
            run_id,
            run_id,
        )
        return None if row is None else Wish(row["wish"], row["created_by"])
