"""The one place that decides what replies are answered with: it follows the promotions log, whoever wrote to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.types import EngineError, Readiness
from store.desk import Desk
from store.errors import OperatorError
from store.records import Run
from store.words import BASE, Version
from tui.core.adapters import verified
from tui.core.changes import Changes
from tui.core.events import Notice, VersionChanged
from tui.core.keeper import EngineKeeper

# What makes a version unfit to serve, as opposed to an engine that is in trouble itself.
UNFIT = frozenset({"probe-failed", "adapter-damaged", "base-changed"})
# The engine is another one by now, or is about to be: it is prepared for what is wanted before anybody may ask it.
REPLACED = frozenset({"engine-died", "not-ready"})


class VersionFollower:
    """Makes the wanted version ready and lets it serve. Replies that began before end as they began, and none waits.

    It follows one thing at a time: an operator's own promotion (:meth:`follow`), what a run or another process has
    promoted (:meth:`wake`, :meth:`run_finished`), and the start of an engine (:meth:`prepare`). *pin*: a version that
    serves whatever the log says."""

    def __init__(
        self, store: Desk, engine: EngineKeeper, changes: Changes, who: str, pin: Version | None = None
    ) -> None:
        self._store, self._engine, self._changes, self._who = store, engine, changes, who
        self._pin = pin
        self._following = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._woken = self._run_over = False
        self._refused: Version | None = None

    @property
    def wanted(self) -> Version:
        """The version that shall answer: the pinned one, else the active one."""
        return self._pin or self._store.promotions.active()

    async def make_ready(self, version: Version) -> Readiness | None:
        """Make *version* ready in the engine that runs, its files checked first; None for the bare base, which always
        is.

        Raises :class:`EngineError`."""
        adapter = await verified(self._store, version)
        return None if adapter is None else self._engine.readiness(version) or await self._engine.ready(adapter)

    # -- following ---------------------------------------------------------------------------------
    async def follow(self) -> None:
        """Let replies be answered with what is wanted, if an engine runs; one that does not yet is prepared for it.

        A version that is unfit is replaced by the one before it, in the log too, with a notice. Raises
        :class:`EngineError`."""
        try:
            async with self._following:
                if self._engine.running:
                    await self._catch_up()
        except EngineError as error:
            if error.kind not in REPLACED:
                raise

    async def prepare(self) -> None:
        """The same for an engine that has just loaded its base, before anybody may ask it."""
        async with self._following:
            await self._catch_up()

    def wake(self) -> None:
        """Follow in the background; a version that can't be loaded is reported once."""
        self._woken = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="follow-promotions")

    def run_finished(self, run: Run) -> None:
        """A run is over: its verdict may have made another version active, and the memory that was lent to it is
        free."""
        self._run_over = True
        self.wake()

    async def close(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while self._woken:
            self._woken = False
            if self._run_over and self._engine.held:
                await self._engine.reload()
            self._run_over = False
            if self.wanted in (self._engine.serving, self._refused):
                continue
            try:
                await self.follow()
                self._refused = None
            except OperatorError as error:
                self._refused = self.wanted
                self._changes.publish(Notice(error.sentence, trouble=True))

    async def _catch_up(self) -> None:
        tried: set[Version] = set()
        while (wanted := self.wanted) != self._engine.serving:
            tried.add(wanted)
            try:
                readiness = await self.make_ready(wanted)
                self._engine.serve(wanted)
            except EngineError as error:
                if error.kind not in UNFIT or wanted in (BASE, self._pin):
                    raise
                self._fall_back(wanted, error.sentence, tried)
            else:
                self._changes.publish(VersionChanged(wanted, 0.0 if readiness is None else readiness.seconds))

    def _fall_back(self, wanted: Version, why: str, tried: set[Version]) -> None:
        """Promote the version before *wanted* again, unless another app on this desk already did."""
        with self._store.atomic():
            if self._store.promotions.active() != wanted:
                return
            target = self._store.promotions.rollback_target()
            if target is None or target in tried or target in self._store.erasing.tainted():
                target = BASE
            self._store.promotions.promote(target, kind="probe-failed", who=self._who, reason=why)
        self._changes.publish(Notice(f"{wanted} cannot serve: {why} {target} answers instead.", trouble=True))
