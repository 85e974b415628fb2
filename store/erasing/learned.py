"""Which versions learned what was erased, and which runs hold it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from store.database import Database
from store.erasing.subject import IN, numbers
from store.words import Version

# A version whose run trained on one of the pairs, and every version that went on from such a one. CROSS JOIN: the few
# pairs first, where run_pairs has a row for every pair of every run.
_LEARNED = """
WITH RECURSIVE learned(name) AS (
    SELECT v.name FROM pairs p CROSS JOIN run_pairs r ON r.pair_id = p.id AND r.split = 'train'
    CROSS JOIN adapter_versions v ON v.run_id = r.run_id WHERE {which}
    UNION SELECT v.name FROM adapter_versions v JOIN runs r ON r.id = v.run_id JOIN learned l ON r.parent = l.name
) SELECT v.name FROM adapter_versions v JOIN learned USING (name) ORDER BY v.number
"""


def versions_with(db: Database, pairs: Iterable[int]) -> list[Version]:
    """The versions that learned one of *pairs*, themselves or from the version they began as; oldest first."""
    return [row[0] for row in db.all(_LEARNED.format(which=f"p.id {IN}"), numbers(pairs))]


def tainted(db: Database) -> list[Version]:
    """The versions that learned something that has been erased; oldest first."""
    return [row[0] for row in db.all(_LEARNED.format(which="p.erased_at IS NOT NULL"))]


def runs_with(db: Database, pairs: Iterable[int], versions: Iterable[Version] = ()) -> list[int]:
    """The runs whose snapshot holds one of *pairs*, whatever for, and those that began as one of *versions*."""
    sql = f"SELECT run_id FROM run_pairs WHERE pair_id {IN} UNION SELECT id FROM runs WHERE parent {IN} ORDER BY 1"
    return [row[0] for row in db.all(sql, numbers(pairs), json.dumps(list(versions)))]


def erased_from(db: Database, run_id: int) -> bool:
    """Whether something was erased from what the run *run_id* works on, or the version it began as learned such."""
    held = db.one(
        "SELECT 1 FROM run_pairs r JOIN pairs p ON p.id = r.pair_id WHERE r.run_id = ? AND p.erased_at IS NOT NULL",
        run_id,
    )
    return held is not None or db.value("SELECT parent FROM runs WHERE id = ?", run_id) in tainted(db)
