"""Taking a backup: nothing of it is believed before it was looked at."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from store.backup.contents import FORMAT, LIST, BackupRefused, Member, connected
from store.database import BROKEN, SCHEMA
from store.database.schema import strange_parts
from store.database.soundness import damage, rebuild, unfit_indexes
from store.home import private_folder, sync_folder
from store.writing import create

UNTOUCHED = "Nothing was restored or changed."
MAX_LIST = 16 * 2**20  # bytes; a list of a hundred thousand files
CHUNK = 2**20
_PLAIN = re.compile(r"desk\.db|deskloop\.toml|adapters(/[A-Za-z0-9][A-Za-z0-9._-]{0,199}){2,4}")


@contextmanager
def unpacked(source: Path, home: Path) -> Iterator[Path]:
    """The files of the backup *source*, checked, in a folder beside *home* that takes its place at the end of the
    block. An error leaves *home* as it was, and nothing beside it.

    Raises :class:`BackupRefused`: *home* is not empty, or *source* is no whole and honest backup."""
    home = home.expanduser().absolute()
    if os.path.lexists(home) and (home.is_symlink() or not home.is_dir() or any(home.iterdir())):
        raise BackupRefused(f"{home} is not empty. Name a new folder with --home: deskloop never overwrites anything.")
    staging: Path | None = None
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        beside = home if home.is_dir() else home.parent  # a folder that is there may be a disk of its own
        staging = Path(tempfile.mkdtemp(dir=beside, prefix=f".{home.name[:100]}.restoring."))
        _unpack(source, staging)
        _check_database(staging / "desk.db")
        yield staging
        if beside == home:
            _move_up(staging, home)
        else:
            staging.rename(home)  # onto an empty folder at most; fails if somebody filled it meanwhile
        sync_folder(home.parent)
    except (tarfile.TarError, EOFError) as error:
        raise BackupRefused(f"{source} is not a backup of a desk, or it is damaged ({error}). {UNTOUCHED}") from error
    except OSError as error:
        raise BackupRefused(f"{source} was not restored: {error.strerror or error}. {UNTOUCHED}") from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _move_up(staging: Path, home: Path) -> None:
    """Everything in *staging* into *home*, which is there and stays as it was made; the database last, since only with
    it there is a desk."""
    moved: list[Path] = []
    try:
        for path in sorted(staging.iterdir(), key=lambda path: path.name == "desk.db"):
            if os.path.lexists(home / path.name):
                raise FileExistsError(errno.EEXIST, f"{home} is no longer empty")
            moved.append(path.rename(home / path.name))
    except BaseException:
        for path in moved:
            path.rename(staging / path.name)
        raise
    sync_folder(home)


def _refused(source: Path, what: str) -> BackupRefused:
    return BackupRefused(f"{source} is not restored: {what}. {UNTOUCHED}")


def _unpack(source: Path, target: Path) -> None:
    with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        members = _listed(source, tar)
        if (need := sum(member.size for member in members.values())) > shutil.disk_usage(target).free:
            raise _refused(source, f"it holds {need / 2**20:.0f} MiB, more than the disk has room for")
        for info in tar:
            if info.name == LIST:
                continue
            member = members.pop(info.name, None)
            if member is None:
                raise _refused(source, f"{info.name[:100]!r} is not on its list, or appears twice")
            if not info.isreg() or info.issparse() or info.size != member.size:
                raise _refused(source, f"{info.name!r} is not the file on its list")
            content = tar.extractfile(info)
            assert content is not None
            _write(source, target / member.name, content, member)
        if members:
            raise _refused(source, f"it is not whole, {next(iter(members))} is missing")


def _listed(source: Path, tar: tarfile.TarFile) -> dict[str, Member]:
    """What the backup says it holds."""
    first = tar.next()
    if first is None or first.name != LIST or not first.isreg() or first.issparse() or first.size > MAX_LIST:
        raise _refused(source, "it is not a backup of a desk")
    content = tar.extractfile(first)
    assert content is not None
    try:
        head: dict[str, Any] = json.loads(content.read())
        if head["format"] != FORMAT or head["schema"] > SCHEMA:
            raise _refused(source, "it was written by a newer deskloop; install that version")
        found = [Member(str(row["name"]), int(row["size"]), str(row["sha256"])) for row in head["files"]]
    except BackupRefused:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused(source, "its list of files can't be read") from error
    for member in found:
        if not _PLAIN.fullmatch(member.name) or member.size < 0:
            raise _refused(source, f"{member.name[:100]!r} is not a file of a desk")
    members = {member.name: member for member in found}
    if len(members) != len(found) or "desk.db" not in members:
        raise _refused(source, "its list of files is not that of a desk")
    return members


def _write(source: Path, path: Path, content: IO[bytes], member: Member) -> None:
    """Write one file, and see that it is the one of the list."""
    for folder in reversed([parent for parent in path.parents if not parent.exists()]):
        private_folder(folder)
    digest = hashlib.sha256()
    with os.fdopen(create(path), "wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != member.sha256:
        raise _refused(source, f"{member.name} is damaged")


def _check_database(path: Path) -> None:
    """Look at the database before anything of it is run: its schema must be ours, and every page sound. An index for
    search that is not is made anew."""
    try:
        with closing(connected(path)) as conn:
            steps = _steps(conn)
            if steps > SCHEMA:
                raise BackupRefused(f"A newer deskloop wrote this desk; install that version. {UNTOUCHED}")
            if not (problems := strange_parts(conn, steps) or damage(conn) or _strange_values(conn)):
                for index in unfit_indexes(conn):
                    rebuild(conn, index)
    except BROKEN as error:
        raise BackupRefused(f"The database in the backup is damaged ({error}). {UNTOUCHED}") from error
    if problems:
        raise BackupRefused(f"The database in the backup is damaged ({problems[0]}). {UNTOUCHED}")


def _steps(conn: sqlite3.Connection) -> int:
    """How many migrations a database has seen; before they were numbered, it listed them only."""
    number = int(conn.execute("PRAGMA user_version").fetchone()[0])
    return number or int(conn.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0])


def _strange_values(conn: sqlite3.Connection) -> list[str]:
    """Values that become names of files."""
    rows = conn.execute("SELECT number, name, folder FROM adapter_versions").fetchall()
    return [f"{str(folder)[:100]!r} is not a version's folder" for number, name, folder in rows
            if number < 1 or name != f"v{number}" or folder != name]  # fmt: skip
