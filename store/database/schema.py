"""The schema a desk must have: what the migrations make of an empty database, compared word by word.

A trigger or a view that somebody put into a file runs as soon as a table is written or read. So a database that passed
through other hands is used only if it holds what ours holds, and nothing else.
"""

from __future__ import annotations

import re
import sqlite3

_QUOTES = re.compile(r"[\"'`\[\]]")
_SPACES = re.compile(r"\s+")
Parts = dict[tuple[str, str], tuple[str, str]]  # kind and name, to the table and the normalised SQL


def strange_parts(conn: sqlite3.Connection, steps: int) -> list[str]:
    """What in the schema of *conn* is not as *steps* migrations make it, a few words each; empty: nothing."""
    found, wanted = _parts(conn), _expected(steps)
    problems = [f"the {kind} {name} is not deskloop's" for kind, name in sorted(found.keys() - wanted.keys())]
    problems += [f"the {kind} {name} is missing" for kind, name in sorted(wanted.keys() - found.keys())]
    return problems + [
        f"the {kind} {name} is not as deskloop makes it"
        for kind, name in sorted(found.keys() & wanted.keys())
        if found[kind, name] != wanted[kind, name]
    ]


def _expected(steps: int) -> Parts:
    from sqlite_utils import Database

    from store.database.migrations import migrations

    with_all = Database(memory=True)
    names = [step.name for step in migrations.pending(with_all)]
    migrations.apply(with_all, stop_before=names[steps:])
    return _parts(with_all.conn)


def _parts(conn: sqlite3.Connection) -> Parts:
    rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(row[0], row[1]): (row[2], _normal(row[3] or "")) for row in rows}


def _normal(sql: str) -> str:
    """SQL without what depends on who wrote it down: quotes around names, and spaces between words. (A quoted text
    loses its quotes on both sides alike.)"""
    return _SPACES.sub("", _QUOTES.sub("", sql)).casefold()
