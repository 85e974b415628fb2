"""A desk as one file, and back: the database as it is at one moment, ``deskloop.toml``, and the adapters' files.

The file is an uncompressed tar whose first member, ``deskloop-backup.json``, names every other one with its size and
sha256. What comes out of such a file is checked against that list byte by byte, and nothing but plain files with
plain names in their own folder is ever written: a backup may have passed through other hands.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from store.database import SCHEMA
from store.desk import Desk
from store.home import FILE_MODE, private_folder, sync_folder
from store.records import now
from store.writing import create

LIST = "deskloop-backup.json"
FORMAT = 1
MAX_LIST = 16 * 2**20  # bytes; a list of a hundred thousand files
CHUNK = 2**20
_PLAIN = re.compile(r"desk\.db|deskloop\.toml|adapters(/[A-Za-z0-9][A-Za-z0-9._-]{0,199}){2,4}")


class BackupRefused(ValueError):
    """A backup that can't be made or taken; ``sentence`` says why, and that nothing was changed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup: its name in the desk's folder, its bytes and their sha256."""

    name: str
    size: int
    sha256: str


# -- making one ------------------------------------------------------------------------------------
def write_backup(desk: Desk, target: Path, adapters: Iterable[Path]) -> list[Member]:
    """Write database, settings file and the folders *adapters* (of this desk) to the new file *target* (0600).

    Apps may be open meanwhile. Never overwrites. Raises :class:`BackupRefused`; *target* is whole or not there."""
    if os.path.lexists(target):
        raise BackupRefused(f"{target} exists already. Name another file: nothing is ever overwritten.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".deskloop-backup.") as folder:
            copy = Path(folder) / "desk.db"
            desk.db.run("VACUUM INTO ?", str(copy))
            files = dict(_files(desk, copy, adapters))
            members = [_member(name, path) for name, path in files.items()]
            whole = Path(folder) / "whole.tar"
            _pack(whole, members, files)
            os.link(whole, target)  # unlike a rename, this never takes the place of another file
        sync_folder(target.parent)
    except FileExistsError as error:
        raise BackupRefused(f"{target} exists already. Name another file: nothing is ever overwritten.") from error
    except OSError as error:
        raise BackupRefused(f"No backup was written to {target}: {error.strerror or error}.") from error
    return members


def _files(desk: Desk, copy: Path, adapters: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    yield "desk.db", copy
    if desk.home.settings_file.is_file():
        yield "deskloop.toml", desk.home.settings_file
    for folder in adapters:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(desk.home.root).as_posix(), path


def _member(name: str, path: Path) -> Member:
    with path.open("rb") as file:
        return Member(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _pack(whole: Path, members: list[Member], files: dict[str, Path]) -> None:
    head = {"format": FORMAT, "created_at": now(), "schema": SCHEMA, "files": [asdict(member) for member in members]}
    raw = json.dumps(head, indent=1).encode()
    with whole.open("xb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.addfile(_info(LIST, len(raw)), io.BytesIO(raw))
            for member in members:
                with files[member.name].open("rb") as content:
                    tar.addfile(_info(member.name, member.size), content)
        file.flush()
        os.fsync(file.fileno())


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, FILE_MODE
    return info


# -- taking one ------------------------------------------------------------------------------------
@contextmanager
def unpacked(source: Path, home: Path) -> Iterator[Path]:
    """The files of the backup *source*, checked, in a folder beside *home* that takes its place at the end of the
    block. An error leaves *home* as it was, and nothing beside it.

    Raises :class:`BackupRefused`: *home* is not empty, or *source* is no whole and honest backup."""
    home = home.expanduser().absolute()
    if os.path.lexists(home) and (home.is_symlink() or not home.is_dir() or any(home.iterdir())):
        raise BackupRefused(f"{home} is not empty. Name a new folder with --home: nothing is ever overwritten.")
    staging = home.with_name(f".{home.name}.restoring.{os.getpid()}")
    try:
        private_folder(staging)
        _unpack(source, staging)
        _check_database(staging / "desk.db")
        yield staging
        staging.rename(home)  # onto an empty folder at most; fails if somebody filled it meanwhile
        sync_folder(home.parent)
    except (tarfile.TarError, EOFError) as error:
        raise BackupRefused(f"{source} is no backup of a desk, or it is damaged ({error}). {UNTOUCHED}") from error
    except OSError as error:
        raise BackupRefused(f"{source} was not restored: {error.strerror or error}. {UNTOUCHED}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


UNTOUCHED = "Nothing was restored and nothing was changed."


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
                raise _refused(source, f"{info.name[:100]!r} is not in its list, or is there twice")
            if not info.isreg() or info.issparse() or info.size != member.size:
                raise _refused(source, f"{info.name!r} is not the plain file of its list")
            content = tar.extractfile(info)
            assert content is not None
            _write(source, target / member.name, content, member)
        if members:
            raise _refused(source, f"it is not whole, {next(iter(members))} is missing")


def _listed(source: Path, tar: tarfile.TarFile) -> dict[str, Member]:
    """What the backup says it holds."""
    first = tar.next()
    if first is None or first.name != LIST or not first.isreg() or first.issparse() or first.size > MAX_LIST:
        raise _refused(source, "it is no backup of a desk")
    content = tar.extractfile(first)
    assert content is not None
    try:
        head: dict[str, Any] = json.loads(content.read())
        if head["format"] != FORMAT or head["schema"] > SCHEMA:
            raise _refused(source, "a newer deskloop wrote it; install that one")
        found = [Member(str(row["name"]), int(row["size"]), str(row["sha256"])) for row in head["files"]]
    except BackupRefused:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused(source, "its list of files can't be read") from error
    for member in found:
        if not _PLAIN.fullmatch(member.name) or member.size < 0:
            raise _refused(source, f"{member.name[:100]!r} is no file of a desk")
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
    """Look at the database before anything of it is run."""
    conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("PRAGMA cell_size_check = ON")
        if conn.execute("PRAGMA user_version").fetchone()[0] > SCHEMA:
            raise BackupRefused(f"A newer deskloop wrote this desk; install that one. {UNTOUCHED}")
        problems = [row[0] for row in conn.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
        problems += [f"a row of {row[0]} points to nothing" for row in conn.execute("PRAGMA foreign_key_check")]
        for table in ("conversations", "pairs", "adapter_versions", "settings"):
            conn.execute(f"SELECT 1 FROM {table} LIMIT 1")
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"The database in the backup is damaged ({error}). {UNTOUCHED}") from error
    finally:
        conn.close()
    if problems:
        raise BackupRefused(f"The database in the backup is damaged ({problems[0]}). {UNTOUCHED}")
