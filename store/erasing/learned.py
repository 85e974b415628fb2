"""Which versions learned what was erased, and which runs hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from store.database import Database
from store.erasing.subject import IN, Rows, numbers
from store.times import now
from store.words import Version

# A version whose run trained on one of the pairs or learned from one of the wrong replies, and every version that went
# on from such a one. CROSS JOIN: the few pairs first, where run_pairs has a row for every pair of every run.
_LEARNED = """
WITH RECURSIVE learned(name) AS (
    SELECT v.name FROM pairs p CROSS JOIN run_pairs r ON r.pair_id = p.id AND r.split = 'train'
    CROSS JOIN adapter_versions v ON v.run_id = r.run_id WHERE {pairs}
    UNION SELECT v.name FROM run_mistakes m JOIN adapter_versions v ON v.run_id = m.run_id WHERE {mistakes}
    UNION SELECT v.name FROM adapter_versions v JOIN runs r ON r.id = v.run_id JOIN learned l ON r.parent = l.name
) SELECT v.name FROM adapter_versions v JOIN learned USING (name) ORDER BY v.number
"""
# The wrong replies of conversations of which something goes: what a run learned of one may be any of its turns.
_MISTAKES = f"SELECT id FROM turns WHERE conversation_id {IN}"


def versions_with(db: Database, rows: Rows) -> list[Version]:
    """The versions that learned something of *rows*, themselves or from the version they began as; oldest first."""
    sql = _LEARNED.format(pairs=f"p.id {IN}", mistakes=f"m.reply_id IN ({_MISTAKES})")
    return [row[0] for row in db.all(sql, numbers(rows.learned), numbers(rows.touched))]


def tainted(db: Database) -> list[Version]:
    """The versions that learned something that has been erased; oldest first."""
    return [
        row[0] for row in db.all(_LEARNED.format(pairs="p.erased_at IS NOT NULL", mistakes="m.erased_at IS NOT NULL"))
    ]


def runs_with(db: Database, rows: Rows, versions: Iterable[Version] = ()) -> list[int]:
    """The runs whose snapshot holds something of *rows*, whatever for, and those that began as one of *versions*."""
    sql = (
        f"SELECT run_id FROM run_pairs WHERE pair_id {IN} UNION SELECT id FROM runs WHERE parent {IN} "
        f"UNION SELECT run_id FROM run_mistakes WHERE reply_id IN ({_MISTAKES}) ORDER BY 1"
    )
    values = numbers(rows.learned), json.dumps(list(versions)), numbers(rows.touched)
    return [row[0] for row in db.all(sql, *values)]


def mark_mistakes(db: Database, rows: Rows) -> None:
    """Remember of which wrong replies, that runs learned from, something was erased."""
    db.run(
        f"UPDATE run_mistakes SET erased_at = ? WHERE erased_at IS NULL AND reply_id IN ({_MISTAKES})",
        now(),
        numbers(rows.touched),
    )


def erased_from(db: Database, run_id: int) -> bool:
    """Whether something was erased from what the run *run_id* works on, or the version it began as learned such."""
    held = db.one(
        "SELECT 1 FROM run_pairs r JOIN pairs p ON p.id = r.pair_id WHERE r.run_id = ? AND p.erased_at IS NOT NULL "
        "UNION ALL SELECT 1 FROM run_mistakes WHERE run_id = ? AND erased_at IS NOT NULL",
        run_id,
        run_id,
    )
    return held is not None or db.value("SELECT parent FROM runs WHERE id = ?", run_id) in tainted(db)
