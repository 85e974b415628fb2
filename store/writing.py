"""Writing files: the one place that decides whether a name may be taken, for every file that deskloop writes outside of
its own folders.

A file appears whole or not at all, for its owner alone. What is there already stays, unless somebody said that it may
be replaced, and then only a plain file is: a link, a folder, a device or a pipe never is.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from store.errors import DeskError
from store.home import DATABASE, FILE_MODE, FOR_ALL, OWN, sync_folder

STDOUT = "-"  # how a command line calls standard output where a file could stand
_KINDS = {
    stat.S_IFLNK: "a link to another file",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
# Where a folder's file system knows no second name for a file: FAT, exFAT, some network ones.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV})


class TargetRefused(DeskError):
    """A file is not written where it was wanted; nothing was written and what was there is as it was."""

    def __init__(self, sentence: str, *, taken: bool = False) -> None:
        super().__init__(sentence)
        self.taken = taken  # only because a plain file stands there, which may be replaced if that is wished


def check_target(target: Path, *, force: bool = False, own: bool = False) -> None:
    """Raise :class:`TargetRefused` if *target* may not be written: it exists, or with *force*, it is no plain file; or
    it is what a desk itself keeps there, unless it is to be that (*own*)."""
    if not own:
        _check_no_desks(target)
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise TargetRefused(
                f"{target} can't be written: there is no folder {target.parent}. Nothing was written."
            ) from None
        return
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise TargetRefused(f"{target} can't be written: {why}. Nothing was written.") from error
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "not a regular file")
        raise TargetRefused(f"{target} is {kind}, and deskloop writes only regular files. Name a new file.")
    if not force:
        raise _taken(target)


def _check_no_desks(target: Path, free: frozenset[str] = FOR_ALL) -> None:
    """Refuse a name in a desk's folder that is the desk's own, whether a file is there or not: its database is a plain
    file too, and a folder among its adapters would pass for a version."""
    try:
        parent = target.absolute().parent.resolve()
        desk = next((folder for folder in (parent, *parent.parents) if os.path.lexists(folder / DATABASE)), None)
    except (OSError, ValueError, RuntimeError):
        return  # nothing can be written there, and that is said in its place
    if desk is None:
        return
    first = (parent / target.name).relative_to(desk).parts[0]
    if first in OWN - free or first.startswith("desk."):
        raise TargetRefused(
            f"{target} is where the desk in {desk} keeps its own files. Nothing was written. Name another place."
        )


def _taken(target: Path) -> TargetRefused:
    return TargetRefused(f"{target} already exists and was left unchanged. Name another file.", taken=True)


@contextmanager
def new_file(target: Path, *, force: bool = False, own: bool = False) -> Iterator[BinaryIO]:
    """A file to write, which appears as *target* (0600) at the end of the block; an error leaves no trace.

    *force*: in the place of a plain file that is there; *own*: it is one of a desk's own files. Raises
    :class:`TargetRefused`, and :class:`OSError` where the disk does not take it."""
    check_target(target, force=force, own=own)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, FILE_MODE)  # an odd umask may have taken bits away
            yield file
            file.flush()
            os.fsync(file.fileno())
        if force:
            check_target(target, force=True, own=own)  # what stands there now, not what stood there when the work began
            temporary.replace(target)
        else:
            _move_in(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)


@contextmanager
def output(target: Path, stdout: BinaryIO | None = None, *, force: bool = False) -> Iterator[BinaryIO]:
    """:func:`new_file`, or *stdout* where it is given and *target* is ``-``."""
    if stdout is not None and str(target) == STDOUT:
        yield stdout
        stdout.flush()
        return
    with new_file(target, force=force) as file:
        yield file


def _move_in(temporary: Path, target: Path) -> None:
    """Give a file its name; unlike a rename this never takes the place of another one."""
    try:
        try:
            os.link(temporary, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.close(create(target))  # so that the name is ours
            temporary.replace(target)
    except FileExistsError as error:
        raise _taken(target) from error


def create(path: Path) -> int:
    """A descriptor of the new file *path* (0600), to be written bit by bit. Raises :class:`FileExistsError`, also for a
    link that leads nowhere."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor


def check_new_folder(target: Path) -> None:
    """Raise :class:`TargetRefused` if there is anything at *target*: a folder never takes another one's place; nor does
    it lie among what a desk keeps itself, but for models."""
    _check_no_desks(target, FOR_ALL | {"models"})
    if os.path.lexists(target):
        raise TargetRefused(f"{target} already exists. Name a new folder: deskloop never overwrites anything.")


def free_name(folder: Path, stem: str, ending: str = "") -> Path:
    """A path in *folder* at which nothing is: *stem* and *ending*, else ``stem-2`` and so on between them."""
    number = 1
    while os.path.lexists(path := folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")):
        number += 1
    return path
