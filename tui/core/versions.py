"""Which version answers: the promotions log is the truth, the engine follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.engines.engine import Engine
from bot.types import AdapterRef, EngineError
from store.desk import Desk
from store.records import AdapterVersion, Promotion
from store.words import BASE, PromotionKind, Version
from tui.core.adapters import REMOVED, folder_of, verify_version
from tui.core.changes import Changes
from tui.core.errors import DeskError
from tui.core.events import Notice, VersionChanged
from tui.core.keeper import EngineKeeper

# What makes a version unfit to serve, as opposed to an engine that is in trouble itself.
UNFIT = frozenset({"probe-failed", "adapter-damaged", "base-changed"})


class VersionDesk:
    """Activation, rollback and the follow-up in the engine, for one operator."""

    def __init__(
        self, desk: Desk, keeper: EngineKeeper, changes: Changes, who: str, pin: Version | None = None
    ) -> None:
        self._desk, self._keeper, self._changes, self._who, self._pin = desk, keeper, changes, who, pin

    @property
    def active(self) -> Version:
        """The version the promotions log names: "base" or "vN"."""
        return self._desk.promotions.active()

    @property
    def wanted(self) -> Version:
        """The version the engine shall serve: the pinned one, else the active one."""
        return self._pin or self.active

    def known(self, version: Version) -> AdapterVersion:
        """The row of *version*, or a :class:`DeskError` that names what exists."""
        row = next((row for row in self._desk.versions.list() if row.name == version), None)
        if row is None:
            names = ", ".join([BASE, *(row.name for row in self._desk.versions.list())])
            raise DeskError(f"There is no version {version}. This desk has: {names}.")
        return row

    async def check(self, version: Version) -> None:
        """Verify the files of *version* against its manifest; raises :class:`DeskError` with the finding."""
        if version == BASE:
            return
        try:
            await self._verified(version)
        except EngineError as error:
            raise DeskError(error.sentence) from error

    @property
    def target(self) -> Version | None:
        """The version that a rollback goes back to; None if there is none."""
        return self._desk.promotions.rollback_target()

    def needs_reason(self, version: Version) -> str | None:
        """Why *version* may only be activated with a reason, in a few words; None if it needs none."""
        if version in self._desk.erasing.tainted():
            return "It learned something that was erased since"
        run_id = None if version == BASE else self.known(version).run_id
        if run_id is not None and self._desk.runs.get(run_id).verdict == "reject":
            return "The check rejected it"
        return None

    async def activate(self, version: Version, reason: str | None = None) -> Promotion:
        """Make *version* ("base" or "vN") active, in the log and, if it runs, in the engine."""
        return await self._followed(await self.promote(version, reason))

    async def go_back(self, reason: str | None = None) -> Promotion:
        """Make the version before the active one active again, in the log and, if it runs, in the engine."""
        return await self._followed(await self.roll_back(reason))

    async def _followed(self, promotion: Promotion) -> Promotion:
        if self._keeper.state.name in ("ready", "busy"):
            await self.sync()
        return promotion

    async def promote(self, version: Version, reason: str | None = None) -> Promotion:
        """Write the operator's choice of *version*; the engine follows with :meth:`sync`.

        A version that its gate rejected, or that learned what was erased since, needs a *reason*, and is logged as
        forced: to let it answer is to use a person's words again. Raises :class:`DeskError`."""
        await self.check(version)
        tainted = self._answer_for_erased(version, reason)
        run_id = None if version == BASE else self.known(version).run_id
        rejected = run_id is not None and self._desk.runs.get(run_id).verdict == "reject"
        if rejected and not reason:
            raise DeskError(
                f"The regression check rejected {version}. To use it all the same, give a reason; it is kept."
            )
        kind: PromotionKind = "forced" if rejected or tainted else "manual"
        return self._desk.promotions.promote(version, kind=kind, who=self._who, reason=reason, run_id=run_id)

    async def roll_back(self, reason: str | None = None) -> Promotion:
        """Write a rollback to the version before the active one. Raises :class:`DeskError` if there is
        none."""
        target = self._desk.promotions.rollback_target()
        if target is None:
            raise DeskError("There is no earlier version to go back to: this desk answers with its first one.")
        self._answer_for_erased(target, reason)
        await self.check(target)
        return self._desk.promotions.promote(target, kind="rollback", who=self._who, reason=reason)

    def _answer_for_erased(self, version: Version, reason: str | None) -> bool:
        """Whether *version* learned what was erased since. Raises :class:`DeskError` without a *reason* to use it."""
        tainted = version in self._desk.erasing.tainted()
        if tainted and not (reason or "").strip():
            raise DeskError(
                f"{version} learned something that was erased since. To use it all the same, give a reason; it is kept."
            )
        return tainted

    async def sync(self) -> Version:
        """Make the engine answer with the version the log names, between replies; returns what serves.

        A version that fails its checks is replaced by the one before it, in the log too, with a sentence."""
        if self.wanted != self._keeper.serving:
            async with self._keeper.use():
                await self.restore()
        return self._keeper.serving

    @asynccontextmanager
    async def lent(self, version: Version, purpose: str) -> AsyncIterator[Engine]:
        """The engine with *version* on it, between replies; *purpose* tells those who wait. The wanted version is back
        on it before anybody else has it, also after an error or a cancellation.

        Raises :class:`DeskError` (no engine, no such version) and :class:`EngineError` (a version that can't serve)."""
        if version != BASE:
            self.known(version)
        async with self._keeper.use(purpose) as engine:
            try:
                if version != self._keeper.serving:
                    await self._keeper.apply(await self._verified(version))
                yield engine
            finally:
                back = asyncio.ensure_future(self.restore())
                try:
                    await asyncio.shield(back)
                except asyncio.CancelledError:
                    await back  # even a second cancellation leaves no customer with the wrong version
                    raise

    async def restore(self) -> None:
        """The work of :meth:`sync` for whoever holds the engine already."""
        tried: set[str] = set()
        while (wanted := self.wanted) != self._keeper.serving:
            tried.add(wanted)
            try:
                seconds = await self._keeper.apply(await self._verified(wanted))
            except EngineError as error:
                if error.kind not in UNFIT or wanted in (BASE, self._pin):
                    raise
                self._fall_back(wanted, error.sentence, tried)
            else:
                self._changes.publish(VersionChanged(wanted, seconds))

    async def _verified(self, version: Version) -> AdapterRef | None:
        """What the engine needs to activate *version* (None: the bare base), its files checked. To read hundreds of
        megabytes takes its time, so that is done beside the event loop.

        Raises :class:`EngineError` (``adapter-damaged``)."""
        if version == BASE:
            return None
        try:
            row = self.known(version)
            if version in self._desk.versions.removed():
                raise DeskError(REMOVED.format(version))
        except DeskError as error:
            raise EngineError("adapter-damaged", error.sentence) from error
        folder = folder_of(self._desk, row)
        await asyncio.to_thread(verify_version, folder, row)
        return AdapterRef(version, str(folder))

    def _fall_back(self, wanted: Version, why: str, tried: set[str]) -> None:
        """Put the version before *wanted* back, unless another app on this desk already did."""
        with self._desk.atomic():
            if self.active != wanted:
                return
            target = self._desk.promotions.rollback_target()
            if target is None or target in tried or target in self._desk.erasing.tainted():
                target = BASE
            self._desk.promotions.promote(target, kind="probe-failed", who=self._who, reason=why)
        self._changes.publish(Notice(f"{wanted} cannot serve: {why} {target} answers instead.", trouble=True))
