"""What is always in view of a desk: who answers, how the engine is, what waits for training, a run in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from finetune.events import Done
from store.conversations.quality import Rate
from store.errors import OperatorError
from store.words import BASE, Version
from tui.core.advice import Advice
from tui.core.events import DeskChange, RunProgress, SettingsChanged, VersionChanged
from tui.core.open_desk import OpenDesk
from tui.core.quality import Standing
from tui.core.run_words import RunWords


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """``version``: the one that answers. ``engine``: its state, in one word. ``clients``: how many share it.
    ``waiting``: corrections that no run has used. ``advice``: whether it is worth retraining, as it was looked up last.
    ``rate``: how often the version was wrong."""

    desk: str
    version: Version
    engine: str
    clients: int
    waiting: int
    advice: Advice
    rate: Rate


class DeskFacts:
    """Follows one desk, and says whenever there is something else to show. Draws nothing."""

    def __init__(self, desk: OpenDesk) -> None:
        self._desk = desk
        self._quality = desk.quality
        self._reading: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._words = RunWords()
        self._answering = desk.promotions.active  # what the operator knows to be answering
        self._erasures = desk.conversations.erasures()
        self.run: str | None = None  # the line about the run; None: there is nothing to say, or it was seen
        self.status = self._status()  # as it was read last
        self._unlisten = desk.changes.listen(self._hear)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener* whenever there is something else to show. Of several changes in one go it may hear once."""
        self._listeners.append(listener)

    # -- what there is to show ---------------------------------------------------------------------
    def _status(self) -> StatusFacts:
        """Who answers, the engine's state, and what waits."""
        engine = self._desk.engine
        running = engine.running
        return StatusFacts(
            desk=self._desk.name,
            version=engine.serving if running else self._desk.promotions.active,
            engine="lent" if engine.held else "comparing" if engine.purpose else engine.state.name,
            clients=engine.clients,
            waiting=self._desk.judgements.waiting(),
            advice=self._quality.advice,
            rate=self.standing.rate,
        )

    @property
    def standing(self) -> Standing:
        """How the version that answers stands beside the one before it."""
        return self._quality.standing

    @property
    def stale(self) -> bool:
        """Whether standing and advice are being read anew, or would have to be."""
        return self._reading is not None or self._quality.stale

    # -- what happens ------------------------------------------------------------------------------
    def _hear(self, change: DeskChange) -> None:
        if isinstance(change, RunProgress):
            line = self._words.line(change.event.event)
            if line is None or line == self.run:
                return
            self.run = line
            if not isinstance(change.event.event, Done):
                self._publish()  # steps come often, and change nothing else
                return
        if not isinstance(change, SettingsChanged):
            self.refresh()

    def refresh(self) -> None:
        """Something may be another than it was: say so, and read anew what takes longer."""
        if self._quality.stale and self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="desk-facts")
        self.status = self._status()
        self._publish()

    async def _read(self) -> None:
        try:
            with suppress(OperatorError):  # a busy or damaged desk: the next change asks again
                await self._quality.refresh()
        finally:
            self._reading = None
        self.status = self._status()
        self._publish()

    def _publish(self) -> None:
        for listener in self._listeners:
            listener()

    def run_seen(self) -> None:
        """The operator has seen how the run ended."""
        self.run = None
        self._publish()

    def swapped(self, change: VersionChanged) -> str | None:
        """The name, for the beginning of a sentence, of a version that answers from now on; None if it is the one that
        answered before, as after a restart."""
        if change.version == self._answering:
            return None
        self._answering = change.version
        return "The bare base" if change.version == BASE else change.version

    def erased_since(self) -> bool:
        """Whether something was erased since this was asked last: what was said is not what it was."""
        before, self._erasures = self._erasures, self._desk.conversations.erasures()
        return before != self._erasures

    async def close(self) -> None:
        """Follow no more."""
        self._unlisten()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
