"""Promotions: which version answers, as an operator decides it."""

from __future__ import annotations

from bot.types import EngineError
from store.desk import Desk
from store.records import AdapterVersion, Promotion
from store.words import BASE, PromotionKind, Version
from tui.core.adapters import known, verified
from tui.core.errors import DeskError
from tui.core.following import UNFIT, VersionFollower
from tui.core.keeper import EngineKeeper


class VersionDesk:
    """Activation and rollback, for one operator. A version is made ready first; then its promotion is written, and the
    next reply names it."""

    def __init__(self, desk: Desk, keeper: EngineKeeper, follower: VersionFollower, who: str) -> None:
        self._desk, self._keeper, self._follower, self._who = desk, keeper, follower, who

    @property
    def active(self) -> Version:
        """The version the promotions log names: "base" or "vN"."""
        return self._desk.promotions.active()

    def known(self, version: Version) -> AdapterVersion:
        """The row of *version*, or a :class:`DeskError` that names what exists."""
        return known(self._desk, version)

    async def check(self, version: Version) -> None:
        """Verify the files of *version* against its manifest; raises :class:`DeskError` with the finding."""
        try:
            await verified(self._desk, version)
        except EngineError as error:
            raise DeskError(error.sentence) from error

    @property
    def target(self) -> Version | None:
        """The version that a rollback goes back to; None if there is none."""
        return self._desk.promotions.rollback_target()

    def needs_reason(self, version: Version) -> str | None:
        """Why *version* may only be activated with a reason, in a few words; None if it needs none."""
        if version in self._desk.erasing.tainted():
            return "It learned something that has been erased"
        run_id = None if version == BASE else self.known(version).run_id
        if run_id is not None and self._desk.runs.get(run_id).verdict == "reject":
            return "The check rejected it"
        return None

    async def ready(self, version: Version) -> Version:
        """Make *version* ready in the engine that runs, for requests that name it; what serves stays as it is.

        Raises :class:`DeskError` (no such version) and :class:`bot.types.EngineError` (one that can't serve)."""
        if version != BASE:
            self.known(version)
        await self._follower.make_ready(version)
        return version

    async def activate(self, version: Version, reason: str | None = None) -> Promotion:
        """Make *version* ("base" or "vN") active, in the log and, if it runs, in the engine.

        A version that its gate rejected, or that learned what was erased since, needs a *reason*, and is logged as
        forced: to let it answer is to use a person's words again. Raises :class:`DeskError`, with nothing changed."""
        if version != BASE:
            self.known(version)
        tainted = self._answer_for_erased(version, reason)
        run_id = None if version == BASE else self.known(version).run_id
        rejected = run_id is not None and self._desk.runs.get(run_id).verdict == "reject"
        if rejected and not reason:
            raise DeskError(f"The regression check rejected {version}. To use it anyway, give a reason; it is saved.")
        return await self._promote(version, "forced" if rejected or tainted else "manual", reason, run_id)

    async def go_back(self, reason: str | None = None) -> Promotion:
        """Make the version before the active one active again. Raises :class:`DeskError` if there is none."""
        target = self._desk.promotions.rollback_target()
        if target is None:
            raise DeskError("There is no earlier version to go back to: this is the desk's first one.")
        self._answer_for_erased(target, reason)
        return await self._promote(target, "rollback", reason, None)

    async def follow(self) -> Version:
        """Let replies be answered with the active version from now on, whoever made it that; returns what serves.

        Raises :class:`bot.types.EngineError`."""
        await self._follower.follow()
        return self._keeper.serving

    async def _promote(
        self, version: Version, kind: PromotionKind, reason: str | None, run_id: int | None
    ) -> Promotion:
        """Make it ready, where an engine runs; write it; let it serve."""
        try:
            if self._keeper.running:
                await self._follower.make_ready(version)
            else:
                await verified(self._desk, version)
        except EngineError as error:
            if error.kind not in UNFIT:
                raise
            raise DeskError(f"{error.sentence} Nothing was changed.") from error
        promotion = self._desk.promotions.promote(version, kind=kind, who=self._who, reason=reason, run_id=run_id)
        await self._follower.follow()
        return promotion

    def _answer_for_erased(self, version: Version, reason: str | None) -> bool:
        """Whether *version* learned what was erased since. Raises :class:`DeskError` without a *reason* to use it."""
        tainted = version in self._desk.erasing.tainted()
        if tainted and not (reason or "").strip():
            raise DeskError(
                f"{version} learned something that has been erased. To use it anyway, give a reason; it is saved."
            )
        return tainted
