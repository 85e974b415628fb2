"""What nobody foresaw: a report for whoever mends it, and a sentence for the operator."""

from __future__ import annotations

import errno
import platform
import re
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from bot.traces import trace_of
from store.database import Database
from store.database.soundness import damage, unreadable_cells
from store.errors import BROKEN, OperatorError, damaged
from store.home import Home
from store.times import now
from store.writing import free_name, new_file
from tui.core.errors import DeskError, with_log

Where = Literal["app", "command", "web"]
KEPT = 10  # reports: a fault that comes again and again fills no disk
_REPORT = re.compile(r"unexpected-(?P<where>[a-z]+)-(?P<stamp>\d{8}-\d{6}-\d{6})(-(?P<number>\d+))?\.log")
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def explain(home: Home, error: BaseException, where: Where, what: str) -> str:
    """The sentence for any error: its own if it has one, else what is wrong with the disk or the desk, else that it
    did not work. Then a report is written, and named; *what* says what was being done."""
    if isinstance(error, OperatorError):
        return with_log(error.sentence, error.log)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return (
            f"{error.filename or 'The disk'} can't be written: {(error.strerror or 'no room').lower()}. Nothing of "
            "this action was kept and nothing before it is lost; make room or make it writable, or name another place."
        )
    report = write_report(home, error, where, what)
    if (sentence := damage_of(home)) is None:
        sentence = f"This did not work: {_kind(error)}. Everything saved before is still there."
    return sentence if report is None else f"{sentence} The details are in the report {report}"


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


def write_report(home: Home, error: BaseException, where: Where, what: str) -> Path | None:
    """Write where *error* came from to a new file among the desk's logs, for whoever mends it: nobody's words, no
    address. Of earlier reports the last few stay. None where that can't be done, or there is no desk."""
    try:
        if not home.begun():
            return None
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        path = free_name(home.logs, f"unexpected-{where}-{stamp}", ".log")
        head = f"deskloop {_version()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        with new_file(path, own=True) as file:
            file.write(f"{head}\n{now()} {where}: {what}\n\n{trace_of(error)}".encode("utf-8", "backslashreplace"))
        _drop_old(home)
    except (OSError, OperatorError):
        return None
    return path


def reports(home: Home) -> list[Path]:
    """The reports among the desk's logs, the oldest first."""
    found = [path for path in home.logs.glob("unexpected-*.log") if _REPORT.fullmatch(path.name)]
    return sorted((path for path in found if path.is_file() and not path.is_symlink()), key=_age)


def _age(path: Path) -> tuple[str, str, int]:
    found = _REPORT.fullmatch(path.name)
    assert found is not None
    return found["stamp"], found["where"], int(found["number"] or 1)


def _drop_old(home: Home) -> None:
    for path in reports(home)[:-KEPT]:
        with suppress(OSError):
            path.unlink()


def _version() -> str:
    try:
        return version("deskloop")
    except PackageNotFoundError:
        return "of a checkout"
