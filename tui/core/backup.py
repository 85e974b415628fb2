"""Backup and restore of a desk, with its adapters checked against what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from store.backup import UNTOUCHED, unpacked, write_backup
from store.database import BROKEN
from store.desk import Desk
from store.words import Version
from tui.core.adapters import folder_of, verify_all
from tui.core.errors import DeskError


@dataclass(frozen=True, slots=True)
class BackupDone:
    """What a backup holds. ``notes``: a sentence for everything of the desk that is damaged already."""

    file: Path
    size: int
    versions: list[Version]
    left_out: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """What was restored. ``missing``: versions the backup had been made without, because they were damaged."""

    home: Path
    conversations: int
    versions: list[Version]
    missing: list[Version]


def back_up(desk: Desk, file: Path, *, force: bool = False, stdout: BinaryIO | None = None) -> BackupDone:
    """Write *desk* to the new file *file*, or to *stdout* where that is ``-``. Raises :class:`DeskError`."""
    if stdout is None:
        file = file.expanduser().absolute()
    findings = verify_all(desk)
    whole = [finding.version for finding in findings if finding.sentence is None]
    # The database is copied first; a version that is published meanwhile is in neither.
    folders = [folder_of(desk, desk.versions.get(name)) for name in whole]
    written = write_backup(desk, file, folders, force=force, stdout=stdout)
    left_out = [f"{finding.version} is left out: {finding.sentence}" for finding in findings if finding.sentence]
    notes = list(left_out)
    if written.rebuilt:
        notes.append("The desk's search index is damaged; the backup has a new one. Restore it to repair the desk.")
    if written.unreadable:
        notes.append(f"What can't be read in the desk is missing from the backup: {', '.join(written.unreadable[:5])}.")
    return BackupDone(file, sum(member.size for member in written.members), whole, left_out, notes)


def restore(file: Path, home: Path) -> RestoreDone:
    """Make the desk in the backup *file* the one at *home*, which must be new or empty. Raises :class:`DeskError`."""
    try:
        with unpacked(file.expanduser(), home) as staging, Desk.open(staging, create=False) as desk:
            missing = [finding.version for finding in verify_all(desk) if finding.sentence]
            damaged = [name for name in missing if folder_of(desk, desk.versions.get(name)).exists()]
            if damaged:
                names = ", ".join(damaged)
                raise DeskError(f"{file} is not restored: the files of {names} are damaged. {UNTOUCHED}")
            gone = {*missing, *desk.versions.removed()}
            versions = [row.name for row in desk.versions.list() if row.name not in gone]
            conversations = int(desk.db.value("SELECT count(*) FROM conversations"))
    except BROKEN as error:  # what passed every look and still can't be brought up to date
        raise DeskError(f"{file} is not restored: its database can't be opened ({error}). {UNTOUCHED}") from error
    return RestoreDone(home.expanduser().absolute(), conversations, versions, missing)
