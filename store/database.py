"""The connection: WAL, foreign keys, writers that wait for each other, and private files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store.home import private_file

BUSY_SECONDS = 30.0  # how long a writer waits for another app on the same desk before it gives up

# How many steps store/migrations.py has; the file says how many it has seen. Asking for the steps themselves would cost
# every start a quarter of a second, because sqlite_utils imports pandas where it is installed.
SCHEMA = 6

Row = sqlite3.Row


class Database:
    """One connection to a desk's file. Not for sharing between threads: open another one instead."""

    def __init__(self, path: Path) -> None:
        # SQLite gives -wal and -shm the mode of the database file, so that one mode guards all three.
        private_file(path)
        umask = os.umask(0o077)
        try:
            self.conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self.conn.row_factory = sqlite3.Row
            self.conn.execute("PRAGMA journal_mode = WAL")
            self.conn.execute("PRAGMA foreign_keys = ON")
            self.conn.execute("PRAGMA synchronous = FULL")  # what an operator did survives a power cut
            self._migrate()
        finally:
            os.umask(umask)

    def _migrate(self) -> None:
        if self.value("PRAGMA user_version") == SCHEMA:
            return
        from sqlite_utils import Database as SqliteUtils

        from store.migrations import migrations

        with _migration_lock(self.conn):
            migrations.apply(SqliteUtils(self.conn))
            self.conn.execute(f"PRAGMA user_version = {SCHEMA}")

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
        self.conn.execute(begin)
        try:
            yield
            self.conn.execute(commit)
        except BaseException:
            if self.conn.in_transaction:
                for statement in undo:
                    self.conn.execute(statement)
            raise

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement; outside :meth:`atomic` it is a transaction of its own."""
        return self.conn.execute(sql, values)

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.conn.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self.conn.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.conn.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def insert(self, sql: str, *values: Any) -> int:
        """Execute an INSERT and return the new row's id."""
        return int(self.conn.execute(sql, values).lastrowid or 0)

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


@contextmanager
def _migration_lock(conn: sqlite3.Connection) -> Iterator[None]:
    """Let one of several apps that open a new desk at the same moment migrate it, the others wait."""
    path = Path(conn.execute("PRAGMA database_list").fetchone()[2]).with_suffix(".migrate")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
