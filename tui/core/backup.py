"""Backup and restore of a desk, with its adapters checked against what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from store.backup import UNTOUCHED, BackupRefused, unpacked, write_backup
from store.desk import Desk
from store.home import Home
from tui.core.adapters import folder_of, verify_all
from tui.core.errors import DeskError


@dataclass(frozen=True, slots=True)
class BackupDone:
    """What a backup holds. ``left_out``: a sentence for each version whose files are damaged already."""

    file: Path
    size: int
    versions: list[str]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """What was restored. ``missing``: versions the backup had been made without, because they were damaged."""

    home: Path
    conversations: int
    versions: list[str]
    missing: list[str]


def back_up(desk: Desk, file: Path) -> BackupDone:
    """Write *desk* to the new file *file*. Raises :class:`DeskError`."""
    file = file.expanduser().absolute()
    findings = verify_all(desk)
    whole = [finding.version for finding in findings if finding.sentence is None]
    try:
        # The database is copied first; a version that is published meanwhile is in neither.
        write_backup(desk, file, [folder_of(desk, desk.versions.get(name)) for name in whole])
    except BackupRefused as error:
        raise DeskError(error.sentence) from error
    left_out = [f"{finding.version} is left out: {finding.sentence}" for finding in findings if finding.sentence]
    return BackupDone(file, file.stat().st_size, whole, left_out)


def restore(file: Path, home: Path) -> RestoreDone:
    """Make the desk in the backup *file* the one at *home*, which must be new or empty. Raises :class:`DeskError`."""
    try:
        with unpacked(file.expanduser(), home) as staging, Desk(Home.open(staging)) as desk:
            missing = [finding.version for finding in verify_all(desk) if finding.sentence]
            damaged = [name for name in missing if folder_of(desk, desk.versions.get(name)).exists()]
            if damaged:
                names = ", ".join(damaged)
                raise DeskError(f"{file} is not restored: the files of {names} are damaged. {UNTOUCHED}")
            versions = [row.name for row in desk.versions.list() if row.name not in missing]
            conversations = len(desk.conversations.list(limit=10**9))
    except BackupRefused as error:
        raise DeskError(error.sentence) from error
    return RestoreDone(home.expanduser().absolute(), conversations, versions, missing)
