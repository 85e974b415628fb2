"""The engine follows the promotions log, whoever wrote to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from store.errors import OperatorError
from store.records import Run
from tui.core.changes import Changes
from tui.core.events import Notice
from tui.core.keeper import EngineKeeper
from tui.core.versions import VersionDesk


class VersionFollower:
    """Lets the engine answer with the version that shall, and takes the engine up again after a run that needed its
    memory."""

    def __init__(self, engine: EngineKeeper, versions: VersionDesk, changes: Changes) -> None:
        self._engine, self._versions, self._changes = engine, versions, changes
        self._refused: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        """Swap if another version shall answer; one that can't is reported once."""
        if self._engine.state.name == "ready" and self._versions.wanted not in (self._engine.serving, self._refused):
            await self._sync()

    def run_finished(self, run: Run) -> None:
        """A run is over: its verdict may have made another version active."""
        task = asyncio.create_task(self._after_run(), name="after-run")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after_run(self) -> None:
        if self._engine.held:
            await self._engine.reload()
        elif self._engine.state.name == "ready":
            await self._sync()

    async def _sync(self) -> None:
        try:
            await self._versions.sync()
            self._refused = None
        except OperatorError as error:
            self._refused = self._versions.wanted
            self._changes.publish(Notice(error.sentence, trouble=True))

    async def close(self) -> None:
        """Follow no more."""
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
