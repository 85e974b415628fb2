"""The errors that carry an operator's sentence. All of deskloop's own derive from :class:`OperatorError`, so that one
``except`` tells them apart from what nobody foresaw."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any


class OperatorError(Exception):
    """Something an operator must be told. ``sentence`` is plain English: what happened, that nothing was lost, what to
    do. ``log`` holds the details, if any. ``kind`` is for the program: a word that stands for all errors of a kind.

    ``str`` of it is the sentence, and it can be pickled, whatever its constructor takes."""

    kind: str = "failed"
    sentence: str
    log: Path | None

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log = log

    def __reduce__(self) -> tuple[Any, ...]:
        return _as_it_was, (type(self), self.args), self.__dict__


def _as_it_was(error: type[OperatorError], args: tuple[Any, ...]) -> OperatorError:
    """An error without another call of its constructor, which may take something else than a sentence."""
    made = error.__new__(error, *args)
    made.args = args  # an OSError leaves that to its constructor
    return made


class DeskError(OperatorError):
    """Something a desk can't do."""


class Refused(DeskError, ValueError):
    """An action that does not fit what is there, or a value it can't take; nothing was changed."""


class NotThere(DeskError, LookupError):
    """What was asked for is not on this desk: no such pair, run, version or conversation."""


# What SQLite says of a file that is not what it was: Python can't even decode some of its words.
BROKEN = (sqlite3.DatabaseError, UnicodeDecodeError)
SALVAGE = (
    "Adapters and models are safe. First copy the whole folder somewhere else. Then bring back the last backup into a "
    "new folder (deskloop restore FILE --home NEW), or take out what can still be read (deskloop pairs export FILE)."
)


class DeskUnreadable(DeskError, sqlite3.DatabaseError):
    """The desk's file can't be used as it is; ``sentence`` says why and what to do."""

    kind = "desk-damaged"


class DeskBusy(DeskError, sqlite3.OperationalError):
    """Another app wrote for longer than this connection waits; nothing of this action was kept."""

    kind = "desk-busy"

    def __init__(self) -> None:
        super().__init__("Another app is writing to this desk. Nothing was changed; please try again.")


class DeskFull(DeskError, sqlite3.OperationalError):
    """The disk is full; nothing of this action was kept."""

    kind = "disk-full"

    def __init__(self) -> None:
        super().__init__("The disk is full. Nothing was changed and nothing was lost; free some space and try again.")


class DeskReadOnly(DeskError, sqlite3.OperationalError):
    """The desk can be read but not written; nothing of this action was kept."""

    kind = "desk-read-only"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} can only be read: {why}. Nothing of this action was kept and nothing is lost; reading, exporting "
            "and backups still work."
        )


class CannotOpen(DeskUnreadable):
    """The file, or one that belongs to it, can't be opened, read or written by the system."""


def damaged(path: Path, what: str | Exception) -> DeskUnreadable:
    """The error for a desk's file whose content is no longer whole."""
    if isinstance(what, UnicodeDecodeError):
        what = "its schema can't be read"
    return DeskUnreadable(f"{path} is damaged or not a desk ({what}). It was left unchanged. {SALVAGE}")
