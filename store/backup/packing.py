"""Making a backup."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

from store.backup.contents import FORMAT, LIST, BackupRefused, Member, connected
from store.database import BROKEN, SCHEMA, DeskUnreadable, damaged
from store.database.schema import strange_parts
from store.database.soundness import damage, rebuild, unfit_indexes, unreadable_cells
from store.desk import Desk
from store.home import FILE_MODE
from store.times import now
from store.writing import STDOUT, check_target, output


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup holds. ``rebuilt``: the desk's index for search is damaged, and the backup has a new one;
    ``unreadable``: cells of the desk that hold no sound JSON, as they do in the backup."""

    members: list[Member]
    rebuilt: bool
    unreadable: list[str]


def write_backup(
    desk: Desk, target: Path, adapters: Iterable[Path], *, force: bool = False, stdout: BinaryIO | None = None
) -> Written:
    """Write database, settings file and the folders *adapters* (of this desk) to the new file *target* (0600).

    Apps may be open meanwhile. The copy of the database is checked before it is called a backup. *force*: in the place
    of a file that is there; *stdout*: what to write to where *target* is ``-``. Raises :class:`BackupRefused` and
    :class:`store.writing.TargetRefused`; *target* is whole or not there."""
    to_stdout = stdout is not None and str(target) == STDOUT
    if not to_stdout:
        check_target(target, force=force)
    try:
        place = None if to_stdout else target.parent
        with tempfile.TemporaryDirectory(dir=place, prefix=".deskloop-backup.") as folder:
            copy = Path(folder) / "desk.db"
            with desk.db.told():
                desk.db.conn.execute("VACUUM INTO ?", (str(copy),))
            rebuilt, unreadable = _checked(copy, desk.home.database)
            files = dict(_files(desk, copy, adapters))
            members = [_member(name, path) for name, path in files.items()]
            with output(target, stdout, force=force) as file:
                _pack(file, members, files)
    except DeskUnreadable as error:
        raise BackupRefused(f"No backup was made: {error.sentence}") from error
    except OSError as error:
        raise BackupRefused(f"No backup was written to {target}: {error.strerror or error}.") from error
    return Written(members, rebuilt, unreadable)


def _checked(copy: Path, original: Path) -> tuple[bool, list[str]]:
    """Look whether the *copy* of a database is sound; an index for search that is not is made anew, since all it knows
    is in the texts. Raises :class:`DeskUnreadable`."""
    with closing(connected(copy)) as conn:
        try:
            problems = strange_parts(conn, SCHEMA) or damage(conn)
        except BROKEN as error:
            raise damaged(original, error) from error
        if problems:
            raise damaged(original, problems[0])
        unfit = unfit_indexes(conn)
        try:
            for index in unfit:
                rebuild(conn, index)
        except BROKEN as error:
            raise damaged(original, f"the index {index} can't be rebuilt: {error}") from error
        if unfit and (problems := damage(conn) or unfit_indexes(conn)):
            raise damaged(original, problems[0])
        return bool(unfit), list(unreadable_cells(conn))


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


def _pack(file: BinaryIO, members: list[Member], files: dict[str, Path]) -> None:
    head = {"format": FORMAT, "created_at": now(), "schema": SCHEMA, "files": [asdict(member) for member in members]}
    raw = json.dumps(head, indent=1).encode()
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_info(LIST, len(raw)), io.BytesIO(raw))
        for member in members:
            with files[member.name].open("rb") as content:
                counted = _Digest(content)
                tar.addfile(_info(member.name, member.size), counted)
            if counted.digest.hexdigest() != member.sha256:
                raise BackupRefused(
                    f"No backup was made: {files[member.name]} changed in the meantime. Make another backup."
                )


class _Digest(io.RawIOBase):
    """A file to read that knows the sha256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        raw = self._file.read(size)
        self.digest.update(raw)
        return raw


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, FILE_MODE
    return info
