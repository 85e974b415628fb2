"""Opening a desk's file where that is not a matter of course."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from store.errors import DeskFull, DeskUnreadable


def at_rest(path: Path) -> tuple[str, Path | None]:
    """The address of a file that nobody writes: as it lies there or, with a log beside it that SQLite can't use on a
    disk that takes nothing, of a copy in a folder of its own, which is returned too and is the caller's to remove."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return f"{path.as_uri()}?mode=ro&immutable=1", None
    folder = Path(tempfile.mkdtemp(prefix="deskloop-reading-"))  # for its owner alone
    try:
        for file in (path, log):
            shutil.copyfile(file, folder / file.name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return f"{(folder / path.name).as_uri()}?mode=ro", folder


def check_kind(path: Path) -> None:
    """Refuse what is no plain file before SQLite, or a pipe, waits on it."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # to be made; or the opening says why not
    if not stat.S_ISREG(mode):
        raise DeskUnreadable(
            f"{path} is not a regular file, so there is no desk to open. It was left unchanged. Move it away and "
            "put the "
            "desk's file back, or use another folder with --home."
        )


def why_unwritable(path: Path) -> str | None:
    """Why this user can't write a desk's file, told by the system before anything is tried; None: it seems so."""
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"the folder {path.parent} can't be written"
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        if file.exists() and not os.access(file, os.W_OK):
            return "it is write-protected, or belongs to somebody else" if file == path else f"{file} can't be written"
    return None


def reason(error: BaseException | None) -> str:
    """An error as part of a sentence."""
    if isinstance(error, DeskFull):
        return "the disk is full"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    cause = error.__cause__ if error is not None else None
    return str(cause or error).rstrip(".")
