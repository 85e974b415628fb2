"""What runs say while they work, as it is kept. How a body is read is not the store's business."""

from __future__ import annotations

import builtins
import json
from typing import Any

from store.database import Database, Row
from store.database.cells import OBJECT, cell
from store.records import RunEvent
from store.times import now


class RunEvents:
    """The part of ``desk.runs`` for events."""

    _db: Database

    def add_event(self, run_id: int, kind: str, body: dict[str, Any]) -> RunEvent:
        """Tell something."""
        at = now()
        number = self._db.insert(
            "INSERT INTO run_events (run_id, at, kind, body) VALUES (?, ?, ?, ?)",
            run_id,
            at,
            kind,
            json.dumps(body),
        )
        return RunEvent(number, run_id, at, kind, body)

    def events(self, run_id: int, after_id: int = 0) -> builtins.list[RunEvent]:
        """What a run told after the event *after_id*."""
        rows = self._db.all("SELECT * FROM run_events WHERE run_id = ? AND id > ? ORDER BY id", run_id, after_id)
        return [_event(row) for row in rows]

    def last_event(self, run_id: int, kind: str) -> RunEvent | None:
        """The newest event of one kind, if there is one."""
        row = self._db.one(
            "SELECT * FROM run_events WHERE run_id = ? AND kind = ? ORDER BY id DESC LIMIT 1", run_id, kind
        )
        return None if row is None else _event(row)


def _event(row: Row) -> RunEvent:
    return RunEvent(row["id"], row["run_id"], row["at"], row["kind"], cell(row["body"], OBJECT, {}))
