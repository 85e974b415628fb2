"""What SQLite says about damage, a full disk or a lock, as a sentence with the file: here and nowhere else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from store.errors import CannotOpen, DeskBusy, DeskError, DeskFull, DeskReadOnly, damaged


def explained(path: Path, read_only: str | None, error: Exception) -> DeskError | None:
    """What SQLite says of the desk's file *path*, as a sentence for an operator; None: nobody can do anything about
    it. *read_only*: why nothing can be written, if that is so."""
    if isinstance(error, UnicodeDecodeError):
        return damaged(path, error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DeskBusy()
    if code == sqlite3.SQLITE_FULL:
        return DeskFull()
    if code == sqlite3.SQLITE_READONLY:
        return DeskReadOnly(path, read_only or "its disk or its file is read-only")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, error)
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return CannotOpen(
            f"{path} could not be read or written ({error}). Nothing was changed. Look at its "
            "disk: is it full, is it still connected, and is the file yours?"
        )
    return None
