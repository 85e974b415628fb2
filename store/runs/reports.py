"""What the gate found about a run's version: its report, and the answers that it compared."""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from typing import Any

from store.database import Database
from store.records import JudgedAnswer
from store.text import clean
from store.words import Verdict


class Reports:
    """The part of ``desk.runs`` for what the gate found."""

    _db: Database

    def save_report(
        self, run_id: int, verdict: Verdict, report: dict[str, Any], rows: Sequence[JudgedAnswer] = ()
    ) -> None:
        """Keep the gate's verdict with its numbers and the answers it compared."""
        with self._db.atomic():
            self._db.run("UPDATE runs SET verdict = ?, report = ? WHERE id = ?", verdict, json.dumps(report), run_id)
            self._db.run("DELETE FROM judged_answers WHERE run_id = ?", run_id)
            self._db.many(
                "INSERT INTO judged_answers VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        run_id,
                        row.pair_id,
                        row.kind,
                        clean(row.before),
                        clean(row.after),
                        row.target,
                        row.outcome,
                    )
                    for row in rows
                ],
            )

    def judged(self, run_id: int) -> builtins.list[JudgedAnswer]:
        """The answers the gate compared."""
        rows = self._db.all("SELECT * FROM judged_answers WHERE run_id = ? ORDER BY kind, pair_id", run_id)
        return [
            JudgedAnswer(row["pair_id"], row["kind"], row["before"], row["after"], row["target"], row["outcome"])
            for row in rows
        ]

    def judged_questions(self, run_id: int) -> dict[int, str]:
        """The questions of :meth:`judged`, by pair."""
        rows = self._db.all(
            "SELECT DISTINCT p.id, p.instruction FROM judged_answers j JOIN pairs p ON p.id = j.pair_id "
            "WHERE j.run_id = ?",
            run_id,
        )
        return {row["id"]: row["instruction"] for row in rows}
