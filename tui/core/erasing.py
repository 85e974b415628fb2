"""Erasing a person: with the desk's files and versions around the store."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.adapters import MANIFEST_NAME, read_manifest
from bot.types import EngineError
from finetune.files import RunFiles
from store.desk import Desk
from store.erasing import NotErased, Plan, Subject
from store.erasing.subject import Kind
from store.runs import RunLock
from store.words import Version
from tui.core.adapters import folder_of
from tui.core.beside import Beside
from tui.core.errors import DeskError

__all__ = ["ErasingDesk", "Forgotten", "Kind", "NotErased", "Plan", "Subject"]

CHECKPOINTS = "runs with checkpoints"
LEARNED_ERASED = "learned something that has been erased"
WHY_REMOVED = "learned something that was erased"
_VERSION = re.compile(r"v[1-9]\d*")
LIVE = (
    "A retraining is in progress on this desk and may use what you want to erase. Nothing was changed. Wait until "
    "it is "
    "finished or cancel it, then try again."
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased. ``versions``: those that learned it and whose files are there; ``active``: one of them answers;
    ``removable``: those that can be removed now."""

    counts: dict[str, int]
    versions: list[Version]
    active: Version | None
    removable: list[Version]
    unreached: list[str]


class ErasingDesk:
    """Taking people out of the desk, beside the event loop, for one operator."""

    def __init__(self, store: Desk, beside: Beside, who: str) -> None:
        self._store, self._beside, self._who = store, beside, who

    async def plan(self, subject: Subject) -> Plan:
        """See :func:`plan`."""
        return await self._beside.read(lambda store: plan(store, subject))

    async def forget(self, subject: Subject) -> Forgotten:
        """See :func:`forget`."""
        return await self._beside.work(lambda store: forget(store, subject, self._who))

    def removable(self) -> list[Version]:
        """See :func:`removable`."""
        return removable(self._store)

    async def remove_versions(self) -> list[Version]:
        """See :func:`remove_versions`."""
        return await self._beside.work(lambda store: remove_versions(store, self._who))

    async def finish(self) -> bool:
        """Finish an erasure that was cut off, if one was."""
        if not self._store.erasing.unfinished():
            return False
        await self._beside.work(lambda store: store.erasing.finish())
        return True

    def learned_by(self, version: Version) -> bool:
        """Whether *version* learned something that has been erased."""
        return version in self._store.erasing.tainted()


def plan(desk: Desk, subject: Subject) -> Plan:
    """What :func:`forget` would do; nothing is changed. Raises :class:`DeskError`."""
    return _plan(desk, subject)[0]


def _plan(desk: Desk, subject: Subject) -> tuple[Plan, list[int]]:
    """The plan, and the runs whose work has to go: those that learn it, and those whose job says it anywhere, as in its
    system message."""
    found = desk.erasing.plan(subject)
    saying = {number for path in found.unreached if (number := _run_of(desk, path)) is not None}
    runs = [run for run in sorted({*found.runs, *saying}) if RunFiles(desk.home.runs / str(run)).has_work]
    if runs:
        found.counts[CHECKPOINTS] = len(runs)
    found.unreached[:] = [path for path in found.unreached if _run_of(desk, path) not in runs]
    return found, runs


def forget(desk: Desk, subject: Subject, who: str) -> Forgotten:
    """Take *subject* out of the desk, for good. Raises :class:`DeskError`, also while a retraining is in progress."""
    with _no_run(desk):
        found, runs = _plan(desk, subject)
        for number in runs:
            files = RunFiles.of(desk.home, number)
            files.drop_work()
            if files.has_work:
                raise DeskError(
                    f"The checkpoints of run {number} can't be removed. Nothing was erased; remove them first."
                )
        done = desk.erasing.erase(subject, who)
    counts = done.counts | {name: count for name, count in found.counts.items() if name == CHECKPOINTS}
    versions = [name for name in done.versions if name not in desk.versions.removed()]
    active = desk.promotions.active()
    unreached = [str(path) for path in done.unreached]
    return Forgotten(counts, versions, active if active in versions else None, removable(desk), unreached)


def removable(desk: Desk) -> list[Version]:
    """The versions that learned what was erased, are not answering, and whose files are there still."""
    active = desk.promotions.active()
    tainted = [desk.versions.get(name) for name in desk.erasing.tainted() if name != active]
    return [row.name for row in tainted if folder_of(desk, row).is_dir()]


def remove_versions(desk: Desk, who: str) -> list[Version]:
    """Remove the files of :func:`removable`, for good; their rows stay. Raises :class:`DeskError` while a retraining is
    in progress, or if a folder is not what deskloop published there."""
    with _no_run(desk):
        names = removable(desk)
        for name in names:
            row = desk.versions.get(name)
            folder = folder_of(desk, row)
            plain = _VERSION.fullmatch(row.folder) and not folder.is_symlink() and folder.parent == desk.home.adapters
            if not plain or not _holds_only_what_was_published(folder):
                raise DeskError(f"{folder} was not made by deskloop. It was left unchanged; remove it yourself.")
            desk.versions.remove(name, who, WHY_REMOVED)  # first: half a folder must not be taken for a damaged version
            shutil.rmtree(folder)
    return names


def _holds_only_what_was_published(folder: Path) -> bool:
    """Whether every name in *folder* is one of its manifest's: a file that somebody else put there is not removed."""
    try:
        known = {MANIFEST_NAME, *read_manifest(folder).files}
    except EngineError:
        return False  # nobody can tell what was published
    return all(
        path.relative_to(folder).as_posix() in known and not path.is_symlink()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )


@contextmanager
def _no_run(desk: Desk) -> Iterator[None]:
    """While no retraining can begin; refused while one is in progress."""
    desk.runs.mark_interrupted()
    lock = RunLock(desk.home)
    if not lock.acquire():
        raise DeskError(LIVE)
    try:
        yield
    finally:
        lock.release()


def _run_of(desk: Desk, path: Path) -> int | None:
    """The run whose work the file *path* is part of; None if it is none's."""
    try:
        number, *rest = path.relative_to(desk.home.runs).parts
    except ValueError:
        return None
    mine = number.isdecimal() and bool(rest) and RunFiles(desk.home.runs / number).is_work(rest[0])
    return int(number) if mine else None
