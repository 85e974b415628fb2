"""Full-text search over turns and pairs, for languages with and without spaces between words."""

from __future__ import annotations

import re

from store.database import Database
from store.text import clean, segment

HITS = 500  # how many turns a search looks at, the newest first: nobody reads further
_WORD = re.compile(r"\w+")


def index_turn(db: Database, turn_id: int, text: str) -> None:
    """Put a turn's text into the index, or the new text in place of the old."""
    db.run("INSERT OR REPLACE INTO turns_text (rowid, body) VALUES (?, ?)", turn_id, segment(text))


def index_pair(db: Database, pair_id: int, body: str) -> None:
    """Put a pair into the index; *body*: its segmented text."""
    db.run("INSERT INTO pairs_text (rowid, body) VALUES (?, ?)", pair_id, body)


def match_expression(query: str) -> str | None:
    """*query* as an FTS5 expression in which nothing the operator typed has a meaning of its own.

    Words separated by space must all occur; characters of a CJK word must stand side by side; the last word may be
    the beginning of one, for search as you type. None if there is nothing to search for.
    """
    phrases = []
    for chunk in clean(query).split():
        if words := _WORD.findall(segment(chunk)):
            phrases.append('"' + " ".join(words) + '"')
    return " ".join(phrases) + "*" if phrases else None


def hits(table: str, query: str) -> tuple[str, list[str]]:
    """A subquery for the row ids in *table* that match *query*, and its values."""
    expression = match_expression(query)
    if expression is None:
        return "SELECT 0 WHERE 0", []
    return f"SELECT rowid FROM {table} WHERE {table} MATCH ?", [expression]


def matching_turns(db: Database, query: str, limit: int = HITS) -> list[int]:
    """The ids of the newest turns that match."""
    found, values = hits("turns_text", query)
    sql = f"SELECT id FROM turns WHERE id IN ({found}) ORDER BY 1 DESC LIMIT ?"  # a damaged index names more
    return [row[0] for row in db.all(sql, *values, limit)]


def snippet(text: str, query: str, width: int = 80) -> str:
    """The stretch of *text* around the first word of *query* that occurs in it, on one line."""
    line = " ".join(text.split())
    low = line.casefold()
    places = [place for word in query.casefold().split() if (place := low.find(word)) >= 0]
    start = max(0, min(places, default=0) - width // 3)
    cut = line[start : start + width]
    return ("…" if start else "") + cut + ("…" if start + width < len(line) else "")
