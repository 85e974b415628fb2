"""Whether a database is sound: its pages, its references, its indexes for search, and the values in its cells."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from store.database import BROKEN, cells
from store.text import segment

MOST = 10  # problems told of one kind; the first few say it all
SEARCHED = ("turns_text", "pairs_text")
# What each index holds: an id and the text it was made of. A reply that is being written is not in it yet.
_TEXTS = {
    "turns_text": "SELECT t.id, t.text FROM turns t LEFT JOIN replies r ON r.turn_id = t.id "
    "WHERE t.text != '' AND (t.role = 'customer' OR r.finished_at IS NOT NULL)",
    "pairs_text": "SELECT id, instruction || char(10) || output FROM pairs",
}
_OWNERS = {"turns_text": "turns", "pairs_text": "pairs"}
# Every cell that holds JSON: table, what names its row, the column, and what it should hold.
_CELLS: tuple[tuple[str, str, str, cells.Shape], ...] = (
    ("runs", "id", "recipe", cells.OBJECT),
    ("runs", "id", "report", cells.REPORT),
    ("runs", "id", "failure", cells.FAILURE),
    ("run_events", "id", "body", cells.OBJECT),
    ("adapter_versions", "name", "recipe", cells.OBJECT),
    ("recipes", "name", "recipe", cells.OBJECT),
    ("calibrations", "version", "body", cells.OBJECT),
    ("replies", "turn_id", "decoding", cells.OBJECT),
    ("pairs", "id", "history", cells.EXCHANGES),
    ("comparisons", "id", "history", cells.EXCHANGES),
    ("settings", "key", "value", cells.VALUE),
)


def damage(conn: sqlite3.Connection) -> list[str]:
    """What is wrong with pages, indexes and references, a few words each. Raises nothing for a damaged file."""
    try:
        problems = [str(row[0]) for row in conn.execute(f"PRAGMA integrity_check({MOST})") if row[0] != "ok"]
        if not problems:
            strays = {str(row[0]) for row in conn.execute("PRAGMA foreign_key_check").fetchmany(1000)}
            problems = [f"a row of {table} points to nothing" for table in sorted(strays)]
    except BROKEN as error:
        problems = [str(error)]
    return [" ".join(problem.split()) for problem in problems]


def unfit_indexes(conn: sqlite3.Connection) -> list[str]:
    """The indexes for search that do not hold what the texts say. *conn* must be writable: SQLite checks an index by
    a statement that looks like writing. Other writers wait meanwhile, so that texts and index are of one moment."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        return [index for index in SEARCHED if not _index_is_whole(conn, index)]
    finally:
        if conn.in_transaction:  # an error may have ended it already
            conn.execute("ROLLBACK")


def _index_is_whole(conn: sqlite3.Connection, index: str) -> bool:
    try:
        conn.execute(f"INSERT INTO {index}({index}) VALUES ('integrity-check')")
        indexed = dict(conn.execute(f"SELECT rowid, body FROM {index}"))
        for number, text in conn.execute(_TEXTS[index]):
            if indexed.pop(number, None) != segment(text):
                return False
        rest = set(indexed) - {row[0] for row in conn.execute(f"SELECT id FROM {_OWNERS[index]}")}
        return not rest
    except BROKEN:
        return False


def rebuild(conn: sqlite3.Connection, index: str) -> None:
    """Make an index for search anew, from the texts. Raises :class:`sqlite3.DatabaseError`."""
    [(sql,)] = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchall()
    conn.execute("BEGIN IMMEDIATE")
    try:
        conn.execute(f"DROP TABLE {index}")
        conn.execute(sql)
        texts = conn.execute(_TEXTS[index]).fetchall()
        conn.executemany(
            f"INSERT INTO {index} (rowid, body) VALUES (?, ?)", ((number, segment(text)) for number, text in texts)
        )
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def unreadable_cells(conn: sqlite3.Connection) -> Iterator[str]:
    """Every cell whose JSON is damaged, as "recipe of runs 3". Nothing stops at them: they are read as if empty."""
    for table, key, column, shape in _CELLS:
        rows = conn.execute(f"SELECT {key}, CAST({column} AS BLOB) FROM {table} WHERE {column} IS NOT NULL")
        for name, raw in rows:
            text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else None
            if not cells.is_whole(text, shape):
                yield f"{column} of {table} {name}"
