"""The connection: WAL, foreign keys, writers that wait for each other, and private files."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store.errors import DeskError
from store.home import private_file

BUSY_SECONDS = 30.0  # how long a writer waits for another app on the same desk before it gives up

# How many steps store/migrations.py has; the file says how many it has seen. Asking for the steps themselves would cost
# every start a quarter of a second, because sqlite_utils imports pandas where it is installed.
SCHEMA = 11

Row = sqlite3.Row


class DeskUnreadable(DeskError, sqlite3.DatabaseError):
    """The desk's file can't be used as it is; ``sentence`` says why and what to do."""


class DeskBusy(DeskError, sqlite3.OperationalError):
    """Another app wrote for longer than this connection waits; nothing of this action was kept."""

    def __init__(self) -> None:
        super().__init__("Another app is writing to this desk. Nothing of this action was kept; do it again.")


class DeskFull(DeskError, sqlite3.OperationalError):
    """The disk is full; nothing of this action was kept."""

    def __init__(self) -> None:
        super().__init__(
            "The disk is full. Nothing of this action was kept and nothing before it is lost; make room, do it again."
        )


@contextmanager
def _told() -> Iterator[None]:
    """The errors that an operator can do something about, with a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DeskBusy from error
        if code == sqlite3.SQLITE_FULL:
            raise DeskFull from error
        raise


class Database:
    """One connection to a desk's file. Not for sharing between threads: open another one instead."""

    def __init__(self, path: Path) -> None:
        # SQLite gives -wal and -shm the mode of the database file, so that one mode guards all three.
        private_file(path)
        umask = os.umask(0o077)
        try:
            self.conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self.conn.row_factory = sqlite3.Row
            with _one_at_a_time(path):
                self._open(path)
                self._migrate()
            self.conn.execute("PRAGMA foreign_keys = ON")
            self.conn.execute("PRAGMA recursive_triggers = ON")  # else REPLACE deletes past the append-only triggers
            self.conn.execute("PRAGMA synchronous = FULL")  # what an operator did survives a power cut
        finally:
            os.umask(umask)

    def _open(self, path: Path) -> None:
        try:
            # A first read waits for another app that is just closing; the switch to WAL would not, so it is made
            # only for a new file.
            self.conn.execute("PRAGMA user_version").fetchone()
            if self.value("PRAGMA journal_mode") != "wal":
                self.conn.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise DeskUnreadable(
                f"{path} is damaged or is no desk ({error}). It was left as it is. Put back a copy of the folder, or "
                "start a new desk with --home and another folder."
            ) from error

    def _migrate(self) -> None:
        version = self.value("PRAGMA user_version")
        if version == SCHEMA:
            return
        if version > SCHEMA:
            raise DeskUnreadable(
                "This desk was written by a newer deskloop, which this one could harm. It was left as it is. "
                "Install the newer deskloop, or use another desk with --home."
            )
        from sqlite_utils import Database as SqliteUtils

        from store.migrations import migrations

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
        with _told():
            self.conn.execute(begin)
        try:
            yield
            with _told():
                self.conn.execute(commit)
        except BaseException:
            if self.conn.in_transaction:
                for statement in undo:
                    self.conn.execute(statement)
            raise

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement; outside :meth:`atomic` it is a transaction of its own."""
        with _told():
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
        return int(self.run(sql, *values).lastrowid or 0)

    def wait_at_most(self, seconds: float) -> None:
        """Let this connection's writers wait for others that long, in place of :data:`BUSY_SECONDS`."""
        self.conn.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


@contextmanager
def _one_at_a_time(database: Path) -> Iterator[None]:
    """Let one of several apps that open a desk at the same moment make and migrate it, the others wait."""
    descriptor = os.open(private_file(database.with_suffix(".migrate")), os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
