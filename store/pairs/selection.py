"""Pairs by what they are: narrowed, counted, read one at a time."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Literal, TypedDict, Unpack

from store.database import Database, DeskUnreadable
from store.pairs.conditions import LIVE, WITH_SPLIT, pair_of
from store.records import Pair
from store.search import hits
from store.words import Source, Split

State = Literal["live", "excluded", "superseded", "all"]
_STATES: dict[State, str] = {
    "live": LIVE,
    "excluded": "p.excluded_at IS NOT NULL",
    "superseded": "p.superseded_by IS NOT NULL",
    "all": "1",
}


class Narrowed(TypedDict, total=False):
    """What pairs are looked for; None, or nothing said, is no matter. ``query`` is full text; without a ``state``
    live ones are meant."""

    split: Split | None
    source: Source | None
    lang: str | None
    state: State
    query: str | None


class PairSelection:
    """The part of ``desk.pairs`` that looks for them."""

    _db: Database

    def list(self, limit: int | None = None, offset: int = 0, **narrowed: Unpack[Narrowed]) -> builtins.list[Pair]:
        """Pairs in the order they came in, narrowed by what is given; *query* is full text."""
        where, values = _where(**narrowed)
        rows = self._db.all(
            f"{WITH_SPLIT} WHERE {where} ORDER BY p.id LIMIT ? OFFSET ?",
            *values,
            -1 if limit is None else limit,
            offset,
        )
        return [pair_of(row) for row in rows]

    def live(self, lost: builtins.list[int] | None = None) -> Iterator[Pair]:
        """Every live pair in the order they came in, one at a time: a desk may hold more than memory does.

        *lost*: go on past damage in the file, and list there the ids at which nothing could be read."""
        last = 0
        try:
            for row in self._db.each(f"{WITH_SPLIT} WHERE {LIVE} ORDER BY p.id"):
                last = row["id"]
                yield pair_of(row)
        except DeskUnreadable:
            if lost is None:
                raise
            yield from self._salvaged(last, lost)

    def _salvaged(self, after: int, lost: builtins.list[int]) -> Iterator[Pair]:
        for number in range(after + 1, int(self._db.value("SELECT max(id) FROM pairs")) + 1):
            try:
                row = self._db.one(f"{WITH_SPLIT} WHERE p.id = ? AND {LIVE}", number)
            except DeskUnreadable:
                lost.append(number)
            else:
                if row is not None:
                    yield pair_of(row)

    def count(self, **narrowed: Unpack[Narrowed]) -> int:
        """How many pairs :meth:`list` would give without a limit."""
        where, values = _where(**narrowed)
        return int(
            self._db.value(f"SELECT count(*) FROM pairs p JOIN splits s ON s.key = p.key WHERE {where}", *values)
        )


def _where(**narrowed: Unpack[Narrowed]) -> tuple[str, list[object]]:
    where, values = [_STATES[narrowed.get("state", "live")]], list[object]()
    columns = {"s.split": narrowed.get("split"), "p.source": narrowed.get("source"), "p.lang": narrowed.get("lang")}
    for column, value in columns.items():
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    query = narrowed.get("query")
    if query and query.strip():
        found, words = hits("pairs_text", query)
        where.append(f"p.id IN ({found})")
        values += words
    return " AND ".join(where), values
