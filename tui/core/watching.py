"""What other processes do to a desk that is open here: they write to it, edit its settings' file, start runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from store.desk import Desk
from store.errors import DeskReadOnly
from tui.core.changes import Changes
from tui.core.events import EngineChanged, Notice, StoreChanged
from tui.core.following import VersionFollower
from tui.core.keeper import EngineKeeper
from tui.core.runs import RunDesk
from tui.core.settings import SettingsDesk

CHECK_EVERY = 0.5  # seconds between two checks


class StoreWatch:
    """Publishes that another process wrote to the store."""

    def __init__(self, store: Desk, changes: Changes) -> None:
        self._store, self._changes = store, changes
        self._seen = store.data_version()

    def check(self) -> bool:
        """Whether somebody wrote since the last check."""
        seen, self._seen = self._seen, self._store.data_version()
        if seen == self._seen:
            return False
        self._changes.publish(StoreChanged())
        return True

    def report_read_only(self) -> None:
        """Report why nothing can be written here, if so."""
        if (why := self._store.db.read_only) is not None:
            self._changes.publish(Notice(DeskReadOnly(self._store.home.database, why).sentence, trouble=True))


class ClientWatch:
    """Publishes that another number of apps and commands share the engine."""

    def __init__(self, engine: EngineKeeper, changes: Changes) -> None:
        self._engine, self._changes = engine, changes
        self._seen = engine.clients

    def wake(self) -> None:
        """Look."""
        seen, self._seen = self._seen, self._engine.clients
        if seen != self._seen:
            self._changes.publish(EngineChanged(self._engine.state))


class Waking(Protocol):
    """What looks for something to do when it is woken."""

    def wake(self) -> None:
        """Look."""


class DeskWatch:
    """Checks again and again, from :meth:`start` to :meth:`close`."""

    def __init__(
        self,
        written: StoreWatch,
        settings: SettingsDesk,
        runs: RunDesk,
        versions: VersionFollower,
        others: Sequence[Waking],
    ) -> None:
        self._written, self._settings, self._runs, self._versions = written, settings, runs, versions
        self._others = others
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on follow what other processes do: promotions, runs, settings, conversations."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="watch-desk")

    async def _watch(self) -> None:
        self._runs.follow()
        self._settings.report_problem()
        self._written.report_read_only()
        while True:
            await asyncio.sleep(CHECK_EVERY)
            self._settings.check_file()
            if self._written.check():
                self._settings.publish_changes()
            self._runs.follow()
            self._versions.wake()
            for other in self._others:
                other.wake()

    async def close(self) -> None:
        """Check no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
