"""What deskloop made and may take away again: folders that carry its mark. Nothing else is ever removed.

A folder that is made to be removed later (a workshop where something is built, a run's checkpoints, a prepared base)
gets a mark, a small file, when it is made. :func:`remove_own` is the only way in which deskloop removes folders, and it
refuses every folder without the mark, links, and whatever belongs to another user.

Everybody may import this module, ``bot`` too; it imports none of deskloop's.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from store.errors import OperatorError

MARK = ".deskloop-own"
_MADE_BY = "deskloop"
_WORKSHOP = ".deskloop-"  # names of workshops begin so
_LONGEST_MARK = 2**16  # bytes


class NotOwn(OperatorError, OSError):
    """A folder that deskloop did not make, or did not mark; it was left as it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} was not made by deskloop, so it was left unchanged.")
        self.strerror = f"{folder} was not made by deskloop, so it was left unchanged"


def make_own(folder: Path, mode: int = 0o700, **about: Any) -> Path:
    """Make the new folder *folder*, marked; returns it. *about*: what the mark is to say, plain JSON values.

    Raises :class:`FileExistsError` if anything of that name is there, a dangling link too."""
    folder.mkdir(mode=mode)
    folder.chmod(mode)  # an odd umask may have taken bits away
    mark_own(folder, **about)
    return folder


def mark_own(folder: Path, **about: Any) -> None:
    """Mark *folder*, which the caller has just made, as deskloop's; a mark that is there is written anew."""
    descriptor = os.open(folder / MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"made_by": _MADE_BY, **about}, file)


def read_mark(folder: Path) -> dict[str, Any] | None:
    """What the mark of *folder* says; None for anything that is not a folder of deskloop's: no mark, or a link."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode) or not stat.S_ISREG((folder / MARK).lstat().st_mode):
            return None
        with (folder / MARK).open("rb") as file:
            mark = json.loads(file.read(_LONGEST_MARK))
    except (OSError, ValueError, RecursionError):
        return None
    return mark if isinstance(mark, dict) and mark.get("made_by") == _MADE_BY else None


def is_own(folder: Path) -> bool:
    """Whether *folder* carries the mark, and this user made both."""
    try:
        return read_mark(folder) is not None and all(
            path.lstat().st_uid == os.geteuid() for path in (folder, folder / MARK)
        )
    except OSError:
        return False


def remove_own(path: Path, *, within: Path | None = None) -> None:
    """Remove the marked folder *path* with all that is in it; links in it go, what they point to stays. Nothing
    happens if there is no such folder. With *within* that is the marked folder, and *path* a file, a link or a folder
    somewhere below it, which goes alone.

    Raises :class:`NotOwn` for everything else, and :class:`OSError` if it can't be removed."""
    if not os.path.lexists(path):
        return
    if within is not None and not _is_below(path, within):
        raise NotOwn(path)
    if not is_own(within or path) or path.is_mount():
        raise NotOwn(path)
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _is_below(path: Path, folder: Path) -> bool:
    """Whether *path* lies in *folder*, not by way of a link or of "..", and is not the folder itself."""
    parent = path.parent.resolve()
    return path.name not in ("", ".", "..") and (parent == folder.resolve() or folder.resolve() in parent.parents)


@contextmanager
def workshop(parent: Path) -> Iterator[Path]:
    """A marked folder of this process in *parent* (made if missing) to build something in; gone at the end of the
    block, with all that was not moved out of it by :func:`place`. What a killed process left, :func:`sweep` finds."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=_WORKSHOP))
    try:
        mark_own(folder, what="workshop")
        with (folder / MARK).open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder
    finally:
        with suppress(OSError):
            remove_own(folder)


def sweep(parent: Path) -> None:
    """Remove the workshops in *parent* whose process is gone."""
    for folder in parent.glob(f"{_WORKSHOP}*"):
        if (read_mark(folder) or {}).get("what") != "workshop":
            continue
        with suppress(OSError), (folder / MARK).open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails as long as the process that made it lives
            remove_own(folder)


def place(built: Path, target: Path) -> None:
    """Give the folder *built* the name *target* on the same disk: all of it at once, and only if nothing is there.

    Raises :class:`FileExistsError` if something is, also a link that leads nowhere."""
    if os.path.lexists(target):
        raise FileExistsError(f"{target} already exists. Name a new folder: deskloop never overwrites anything.")
    built.rename(target)  # onto an empty folder at most, if one appears right now: a full one makes it fail
