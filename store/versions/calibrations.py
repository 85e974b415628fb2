"""Calibrations: by what a version's replies become a chance that they stand; see :mod:`finetune.certainty`."""

from __future__ import annotations

import json
from typing import Any

from store.database import Database
from store.database.cells import OBJECT, cell
from store.times import now
from store.words import Version


class Calibrations:
    """The repository of ``desk.calibrations``: one a version, the last that was made."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, version: Version, body: dict[str, Any]) -> None:
        """Keep the calibration of a version, in place of an earlier one."""
        self._db.run(
            "INSERT OR REPLACE INTO calibrations (version, body, created_at) VALUES (?, ?, ?)",
            version,
            json.dumps(body, sort_keys=True),
            now(),
        )

    def get(self, version: Version) -> dict[str, Any] | None:
        """The calibration of a version; None if it has none, or it is damaged."""
        stored = self._db.value("SELECT body FROM calibrations WHERE version = ?", version)
        body: dict[str, Any] | None = cell(stored, OBJECT, None)
        return body or None

    def stamp(self, version: Version) -> str | None:
        """What changes when the calibration of a version does; None without one."""
        at: str | None = self._db.value("SELECT created_at FROM calibrations WHERE version = ?", version)
        return at
