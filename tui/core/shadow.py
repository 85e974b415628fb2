"""A shadow: a version that answers real questions in the background, unseen, while an app is open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from bot.types import Decoding, EngineError, Prompt
from finetune.lengths import decoding_of
from store.conversations.shadows import Asked
from store.desk import Desk
from store.errors import OperatorError
from store.text import clean
from store.words import BASE, Version
from tui.core.adapters import REMOVED, known
from tui.core.base import base_mark
from tui.core.beside import Beside
from tui.core.changes import Changes
from tui.core.errors import DeskError
from tui.core.events import Notice, StoreChanged
from tui.core.following import REPLACED, VersionFollower
from tui.core.keeper import EngineKeeper
from tui.core.shadow_report import ShadowReport, shadow_report


class ShadowDesk:
    """Which version is the shadow, as an operator decides it, and what it said."""

    def __init__(self, store: Desk, beside: Beside, who: str) -> None:
        self._store, self._beside, self._who = store, beside, who

    @property
    def version(self) -> Version | None:
        """The version that answers unseen; None: there is none."""
        return self._store.shadows.current()

    def turn_on(self, version: Version) -> None:
        """Let *version* answer unseen from now on, in the place of another that does.

        Raises :class:`DeskError` for the version that answers, and one that can't."""
        if version == BASE:
            raise DeskError("Only a version that was trained here can answer unseen, not the bare base.")
        row = known(self._store, version)
        if version in self._store.versions.removed():
            raise DeskError(REMOVED.format(version))
        if version in self._store.erasing.tainted():
            raise DeskError(f"{version} learned something that has been erased, so it does not answer unseen.")
        if version == self._store.promotions.active():
            raise DeskError(f"{version} answers already, for all to see.")
        if (mark := base_mark(self._store)) is not None and row.base_fingerprint != mark:
            raise DeskError(f"{version} was trained on another base. Set that base first, then try it unseen.")
        self._store.shadows.turn_on(version, self._who)

    def turn_off(self) -> None:
        """Let no version answer unseen; what was said stays."""
        self._store.shadows.turn_off(self._who)

    async def report(self, version: Version) -> ShadowReport:
        """What *version* said unseen. Raises :class:`DeskError` if there is no such version."""
        if version == BASE:
            raise DeskError("The bare base never answers unseen.")
        known(self._store, version)
        return await self._beside.work(lambda store: shadow_report(store, version))


class ShadowAnswering:
    """Answers in the background what the shadow has not answered yet, one question at a time and while the engine has
    nothing else to do; whatever comes meanwhile is answered first.

    The questions are rows, so an app that was closed goes on where it was. No more of the version than it needs: what
    is the shadow no more is dropped from the engine. A version that fails there is the shadow no more."""

    def __init__(
        self, store: Desk, engine: EngineKeeper, follower: VersionFollower, changes: Changes, who: str
    ) -> None:
        self._store, self._engine, self._follower, self._changes, self._who = store, engine, follower, changes, who
        self._task: asyncio.Task[None] | None = None
        self._loaded: Version | None = None
        self._unkept: Version | None = None  # whose answers can't be kept: it rests until another is the shadow

    def wake(self) -> None:
        """See whether there is something to answer, in the background."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="shadow")

    async def close(self) -> None:
        """Answer no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        version = self._store.shadows.current()
        if self._loaded not in (None, version):
            await self._drop()
        if version is None or version == self._unkept:
            return
        try:
            while self._may_ask(version) and (asked := self._store.shadows.next()) is not None:
                if not await self._answer(version, asked):
                    return
        except OperatorError as error:  # a full disk, settings that no reply can be made with
            self._unkept = version
            self._say(f"{version} rests and answers nothing unseen until the app is opened again: {error.sentence}")

    def _may_ask(self, version: Version) -> bool:
        """Whether *version* still is the shadow, and nobody else wants the engine or the processor."""
        idle = self._engine.state.name == "ready" and self._store.runs.live() is None
        return idle and self._store.shadows.current() == version

    async def _answer(self, version: Version, asked: Asked) -> bool:
        """Answer one question; returns whether to go on."""
        prompt, decoding = self._prompt(asked), self._decoding()
        try:
            if self._engine.readiness(version) is None:
                await self._follower.make_ready(version)
            self._loaded = version
            answer = await self._engine.idly(version, prompt, decoding)
        except EngineError as error:
            if error.kind not in REPLACED:
                self._store.shadows.turn_off(self._who, error.sentence)
                await self._drop()
                self._say(f"{version} failed, so it answers nothing unseen any more: {error.sentence}")
            return False
        if self._store.shadows.current() == version:
            self._store.shadows.keep(asked, version, clean(answer.text))
        return True

    def _prompt(self, asked: Asked) -> Prompt:
        """As the chat asks it."""
        system = self._store.settings.load().system_message
        return Prompt(system, self._store.conversations.history(asked.message), asked.text)

    def _decoding(self) -> Decoding:
        """As the desk's replies are generated, but greedily: it is to be compared."""
        settings = self._store.settings.load()
        try:
            return replace(decoding_of(self._store, settings, settings.decoding), do_sample=False, seed=None)
        except (TypeError, ValueError, KeyError) as error:
            raise DeskError(f"The settings of the preset {settings.decoding!r} are not valid: {error}") from error

    async def _drop(self) -> None:
        """Free the engine's memory of a version that was the shadow, unless it is wanted for something else."""
        version, self._loaded = self._loaded, None
        if version is not None and version not in (self._engine.serving, self._follower.wanted):
            await self._engine.forget(version)

    def _say(self, sentence: str) -> None:
        self._changes.publish(Notice(sentence, trouble=True))
        self._changes.publish(StoreChanged())
