"""The versions of a desk as people look at them. Which of them answers is :mod:`tui.core.versions`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune.gate.report import GateReport
from store.desk import Desk
from store.records import AdapterVersion
from store.words import BASE, Version
from tui.core.adapters import Finding, Overview, card, export_version, overview, report_on, verify_all
from tui.core.base import base_spec
from tui.core.beside import Beside
from tui.core.errors import DeskError
from tui.core.history import Milestone, history
from tui.core.reports import Detail, version_details


class VersionShelf:
    """Every version that was published here: listed, shown, checked, copied."""

    def __init__(self, store: Desk, beside: Beside) -> None:
        self._store, self._beside = store, beside

    def names(self) -> list[Version]:
        """The bare base and every version whose files were not removed, oldest first."""
        removed = self._store.versions.removed()
        return [BASE, *(Version(row.name) for row in self._store.versions.list() if row.name not in removed)]

    def get(self, name: Version) -> AdapterVersion:
        """The row of a version. Raises :class:`DeskError` that names what exists."""
        rows = self._store.versions.list()
        row = next((row for row in rows if row.name == name), None)
        if row is None:
            names = ", ".join([BASE, *(row.name for row in rows)])
            raise DeskError(f"There is no version {name}. This desk has: {names}.")
        return row

    async def overview(self) -> list[Overview]:
        """The bare base and every version, oldest first."""
        return await self._beside.read(overview)

    async def history(self) -> list[Milestone]:
        """How the versions came along: a few numbers for each, oldest first."""
        return await self._beside.read(history)

    def details(self, name: Version) -> list[Detail]:
        """What there is to know about a version, for a person."""
        return version_details(self._store, name)

    def card(self, name: Version) -> dict[str, Any]:
        """The same for a script. Raises :class:`DeskError` if there is no such version."""
        return card(self._store, self.get(name))

    def report(self, name: Version) -> GateReport | None:
        """How the gate of a version went; None if none was finished. Raises :class:`DeskError`."""
        return report_on(self._store, self.get(name))

    async def verify(self, name: Version | None = None) -> list[Finding]:
        """Check the files of one version, or of all of them. Raises :class:`DeskError` for an unknown name."""
        return await self._beside.work(lambda store: verify_all(store, name))

    async def export(self, name: Version, folder: Path) -> list[str]:
        """Copy the verified files of a version to the new *folder*; returns their names. Raises :class:`DeskError`."""
        row = self.get(name)
        return await self._beside.work(lambda store: export_version(store, row, folder))

    async def export_merged(self, name: Version, folder: Path) -> GateReport:
        """Base and version as one model in the new *folder*, judged. Raises :class:`DeskError`, and
        :class:`bot.types.EngineError`."""
        from finetune.merging import export_merged

        return await export_merged(self._store, base_spec(self._store), self.get(name), folder)
