"""What nobody foresaw: kept in a log for whoever mends it, told to the operator in a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

from bot.traces import trace_of
from store.database import BROKEN, Database, damaged
from store.database.soundness import damage, unreadable_cells
from store.errors import OperatorError
from store.home import Home, private_file
from store.times import now
from tui.core.errors import DeskError, with_log

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def explain(home: Home, error: BaseException, log: str, what: str) -> str:
    """The sentence for any error: its own if it has one, else what is wrong with the disk or the desk, else that it
    did not work. Then the details are in *log*, a file of the desk's logs, under *what* was being done."""
    if isinstance(error, OperatorError):
        return with_log(error.sentence, error.log)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return (
            f"{error.filename or 'The disk'} can't be written: {(error.strerror or 'no room').lower()}. Nothing of "
            "this action was kept and nothing before it is lost; make room or make it writable, or name another place."
        )
    if (sentence := damage_of(home)) is not None:
        return with_log(sentence, keep(home, log, what, error))
    return with_log(
        f"This did not work: {_kind(error)}. What was kept before is still there.", keep(home, log, what, error)
    )


def _kind(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:  # not its number
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    words = str(error).strip().splitlines()
    return words[0] if words else type(error).__name__


def damage_of(home: Home) -> str | None:
    """The sentence on a desk that is damaged; None for a sound one. An error that nobody foresaw often comes of a value
    that can't be."""
    try:
        if not home.begun():
            return None
        with Database(home.database) as db:
            found = damage(db.conn) or list(unreadable_cells(db.conn))
    except DeskError as error:
        return error.sentence
    except OSError:
        return None
    except BROKEN as error:
        return damaged(home.database, error).sentence
    return damaged(home.database, found[0]).sentence if found else None


def keep(home: Home, log: str, what: str, error: BaseException) -> Path | None:
    """Write the traceback of *error* to a log of the desk; returns that log, None where even that fails."""
    try:
        if not home.begun():
            return None
        path = private_file(home.logs / log)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{now()} {what}\n{trace_of(error)}\n")
    except (OSError, DeskError):
        return None
    return path
