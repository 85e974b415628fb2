"""Asking and writing: SQL with values, whole or not at all.

sqlite-utils makes the tables, step by step (:mod:`store.database.migrations`), and says what they must come to
(:mod:`store.database.schema`). What is asked of them every second is plain SQL: to import sqlite_utils takes up to four
tenths of a second where pandas is installed, as it is beside datasets, which is half of an app's start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from store.database.connection import Connection
from store.errors import DeskReadOnly

Row = sqlite3.Row
Values = Sequence[Any] | Mapping[str, Any]


class Database(Connection):
    """One connection to a desk's file. Not for sharing between threads: open another one instead."""

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All of the block or nothing. The write lock is taken at once, so that a reader-turned-writer can't
        fail half-way; a block inside a block is a savepoint."""
        nested = self.conn.in_transaction
        begin, commit, undo = (
            ("SAVEPOINT inner", "RELEASE inner", ("ROLLBACK TO inner", "RELEASE inner"))
            if nested
            else ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
        )
        with self.told():
            self.conn.execute(begin)
        try:
            yield
            with self.told():
                self.conn.execute(commit)
        except BaseException:
            if self.conn.in_transaction:
                for statement in undo:
                    self.conn.execute(statement)
            raise

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement; outside :meth:`atomic` it is a transaction of its own."""
        with self.told():
            return self.conn.execute(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for each of *rows*, inside :meth:`atomic`."""
        with self.told():
            self.conn.executemany(sql, rows)

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        rows = self._rows(sql, values, first=True)
        return rows[0] if rows else None

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self._rows(sql, values)

    def named(self, sql: str, values: Mapping[str, Any]) -> list[Row]:
        """Every row of a question whose values have names."""
        return self._rows(sql, values)

    def each(self, sql: str, *values: Any) -> Iterator[Row]:
        """The rows one at a time, where they may be more than memory holds."""
        factory, self.conn.text_factory = self.conn.text_factory, readable
        try:
            with self.told():
                yield from self.conn.execute(sql, values)
        finally:
            self.conn.text_factory = factory

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def _rows(self, sql: str, values: Values, *, first: bool = False) -> list[Row]:
        with self.told():
            try:
                return self._fetch(sql, values, first)
            except sqlite3.OperationalError as error:
                if self.conn.text_factory is not str or "decode" not in str(error):
                    raise
                # A damaged text stops nothing but itself. Not from the start: it would make every reading slower.
                self.conn.text_factory = readable
                return self._fetch(sql, values, first)

    def _fetch(self, sql: str, values: Values, first: bool) -> list[Row]:
        cursor = self.conn.execute(sql, values)
        if not first:
            return cursor.fetchall()
        row = cursor.fetchone()
        return [] if row is None else [row]

    def insert(self, sql: str, *values: Any) -> int:
        """Execute an INSERT and return the new row's id."""
        return int(self.run(sql, *values).lastrowid or 0)

    def check_writable(self) -> None:
        """Raise :class:`DeskReadOnly` if nothing can be written, before much work is done in vain."""
        if self.read_only is not None:
            raise DeskReadOnly(self.path, self.read_only)

    def wait_at_most(self, seconds: float) -> None:
        """Let this connection's writers wait for others that long, in place of :data:`BUSY_SECONDS`."""
        self.conn.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def readable(raw: bytes) -> str:
    """A text as it is stored, with marks where it is none."""
    return raw.decode("utf-8", "replace")
