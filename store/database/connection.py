"""Opening a desk's file: WAL, foreign keys, writers that wait for each other, and private files.

A desk that can't be written (a read-only or full disk, a file of somebody else's) is opened for reading, so that it can
be looked at, exported and backed up; :attr:`Connection.read_only` says why.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from store.database.explaining import explained
from store.database.opening import at_rest, check_kind, reason, why_unwritable
from store.errors import BROKEN, CannotOpen, DeskError, DeskFull, DeskReadOnly, DeskUnreadable
from store.home import private_file

BUSY_SECONDS = 10.0  # how long a writer waits for another app on the same desk before it gives up

# How many steps store/database/migrations.py has; the file says how many it has seen. Asking for the steps themselves
# would cost every start a quarter of a second, because sqlite_utils imports pandas where it is installed.
SCHEMA = 21

_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT})


class Connection:
    """A connection to a desk's file, opened and brought up to date.

    ``read_only``: None, or why nothing can be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._copy: Path | None = None
        self._halted = False
        check_kind(path)
        umask = os.umask(0o077)
        try:
            self.read_only = why_unwritable(path)
            if self.read_only is None:
                self.read_only = self._open()
            if self.read_only is not None:
                self._open_for_reading()
        finally:
            os.umask(umask)

    def _open(self) -> str | None:
        """Open for reading and writing; returns why that can't be, if it can't."""
        try:
            if not self.path.exists():
                private_file(self.path)
            self._connect(f"{self.path.as_uri()}?mode=rw")
            with self.told():
                self._check_ours()  # before anything of another program's file, or beside it, is touched
            # SQLite gives -wal and -shm the mode of the database file as it is when they are made.
            for name in ("", "-wal", "-shm"):
                if (file := self.path.with_name(self.path.name + name)).exists():
                    private_file(file)
            with self.told(), _one_at_a_time(self.path):
                # A first read waits for another app that is just closing; the switch to WAL would not, so it is made
                # only for a new file.
                self._check_ours()
                if self.conn.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    self.conn.execute("PRAGMA journal_mode = WAL")
                self._migrate()
                self.conn.execute("PRAGMA foreign_keys = ON")
                self.conn.execute("PRAGMA recursive_triggers = ON")  # else REPLACE deletes past append-only triggers
                self.conn.execute("PRAGMA synchronous = FULL")  # what an operator did survives a power cut
                self.conn.execute("PRAGMA secure_delete = ON")  # what leaves a row is nowhere in the file either
                self.conn.execute("SELECT 1 FROM sqlite_master").fetchone()
        except (DeskFull, DeskReadOnly, CannotOpen, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _UNWRITABLE:
                raise
            self.close()
            if not self.path.exists() or self.path.stat().st_size == 0:
                raise DeskUnreadable(f"No desk can be created in {self.path.parent}: {reason(error)}.") from error
            return reason(error)
        except BaseException:
            self.close()
            raise
        return None

    def _open_for_reading(self) -> None:
        """Open what can't be written. With a log beside it that SQLite can't use where it lies, a copy is read."""
        trouble: Exception | None = None
        for way in (self.path.as_uri() + "?mode=ro", None):
            try:
                if way is None:
                    way, self._copy = at_rest(self.path)
                self._connect(way)
                with self.told():
                    version = self.conn.execute("PRAGMA user_version").fetchone()[0]
                    self.conn.execute("SELECT 1 FROM sqlite_master").fetchone()
                self._check_version(version)
                return
            except (CannotOpen, DeskReadOnly, OSError) as error:
                self.close()
                trouble = error
            except BaseException:
                self.close()
                raise
        raise DeskUnreadable(
            f"{self.path} can't be read ({reason(trouble)}). It was left unchanged. Run deskloop as the user who "
            "owns it, or on a copy of the folder (--home)."
        ) from trouble

    def _connect(self, address: str) -> None:
        with self.told():
            self.conn = sqlite3.connect(
                address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self.conn.row_factory = sqlite3.Row
            self.conn.execute("PRAGMA trusted_schema = OFF")
            self.conn.execute("PRAGMA cell_size_check = ON")

    def _check_version(self, version: int) -> None:
        if version > SCHEMA:
            raise DeskUnreadable(
                "This desk was written by a newer deskloop, and this one could damage it. It was left unchanged. "
                "Install the newer deskloop, or use another desk with --home."
            )
        if version < SCHEMA and self.read_only is not None:
            raise DeskUnreadable(
                f"{self.path} is of an older deskloop and can't be upgraded: {self.read_only}. It was left "
                "unchanged. Use a copy of the folder (--home)."
            )

    def _check_ours(self) -> None:
        """Refuse the file of another program before anything of it is changed."""
        if self.conn.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
            return
        names = {row[0] for row in self.conn.execute("SELECT name FROM sqlite_master")}
        if names and "_sqlite_migrations" not in names:
            raise DeskUnreadable(
                f"{self.path} is another program's database, or damaged. It was left unchanged. Use another folder "
                "with --home."
            )

    def _migrate(self) -> None:
        version = self.conn.execute("PRAGMA user_version").fetchone()[0]
        self._check_version(version)
        if version == SCHEMA:
            return
        from sqlite_utils import Database as SqliteUtils

        from store.database.migrations import migrations

        migrations.apply(SqliteUtils(self.conn))
        self.conn.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """The errors of SQLite that an operator can do something about become sentences."""
        try:
            if self._halted:
                raise sqlite3.OperationalError("interrupted")
            yield
        except DeskError:
            raise
        except BROKEN as error:
            if (sentence := explained(self.path, getattr(self, "read_only", None), error)) is None:
                raise
            raise sentence from error

    def interrupt(self) -> None:
        """End the statement of the moment with an error. With :meth:`halt` the only thing that another thread may do
        with a connection: whatever else would wait for that statement, and hold up all of Python while it waits."""
        self.conn.interrupt()

    def halt(self) -> None:
        """:meth:`interrupt`, and refuse every later statement; what an open transaction did is undone."""
        self._halted = True
        self.conn.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if hasattr(self, "conn"):
            self.conn.close()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)  # made above
            self._copy = None


@contextmanager
def _one_at_a_time(database: Path) -> Iterator[None]:
    """Let one of several apps that open a desk at the same moment make and migrate it, the others wait."""
    descriptor = os.open(private_file(database.with_suffix(".migrate")), os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
