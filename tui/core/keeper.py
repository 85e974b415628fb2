"""Keeps an engine alive: starts it, hands it out to one user at a time, and brings it back when it dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from bot.engines.engine import Engine
from bot.types import AdapterRef, BaseFacts, BaseSpec, EngineError
from store.words import BASE
from tui.core.errors import DeskError, with_log
from tui.core.events import EngineName, EngineState

DEATHS_ALLOWED = 3  # deaths within DEATH_WINDOW after which a restart would only burn the machine
DEATH_WINDOW = 60.0  # seconds
FIRST_DELAY = 0.5  # seconds before the first restart; doubled each time, so that a crash loop stays readable

Spec = Callable[[], BaseSpec]  # raises DeskError with the sentence that says how to get a base


class EngineFactory(Protocol):
    """Makes an engine that is not started yet; ``on_death`` is called (in the loop) if its process dies."""

    def __call__(self, *, log: Path, on_death: Callable[[], None]) -> Engine: ...


class EngineKeeper:
    """One engine for one app.

    ``use()`` lends the engine to one reply or one swap at a time, so a swap always falls between replies.
    A death is noticed by callback or by the error of the call in flight; the keeper then restarts the
    engine with back-off and calls ``restore`` (the desk's active version) before anybody may use it again.
    """

    def __init__(
        self,
        spec: Spec,
        factory: EngineFactory,
        log: Path,
        *,
        changed: Callable[[EngineState], None],
        restore: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._spec, self._factory, self._changed, self._restore = spec, factory, changed, restore
        self._clock, self._sleep = clock, sleep
        self.log = log
        self.state = EngineState("absent", "The engine is not started yet.")
        self.serving = BASE
        self._engine: Engine | None = None
        self._use = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._moved = asyncio.Event()
        self._deaths: list[float] = []
        self._revival: asyncio.Task[None] | None = None
        self.held: str | None = None
        self.purpose: str | None = None  # what the engine is lent for, if not for a reply or a swap
        self._closed = False

    # -- life --------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Bring the engine up if it is not; a given-up engine gets a fresh chance. Never raises for a bad
        base: the state then says ``absent`` or ``failed`` and why."""
        async with self._starting:
            if self._closed or self.state.name in ("ready", "busy", "restarting"):
                return
            if self.held is not None:
                self._move("absent", self.held)
                return
            self._deaths.clear()
            self._move("starting", "The model is being loaded.")
            try:
                await self._bring_up()
            except EngineError as error:
                if error.kind != "engine-died":
                    self._give_up(error)
                    return
                self.died()

    async def _bring_up(self) -> None:
        """Load the base and restore the active version, or raise :class:`EngineError`."""
        try:
            spec = self._spec()
        except DeskError as error:
            self._move("absent", error.sentence)
            return
        await self._drop()
        engine: Engine | None = None

        def on_death() -> None:
            if engine is not None and engine is self._engine and self.state.name in ("ready", "busy"):
                self.died()

        engine = self._factory(log=self.log, on_death=on_death)
        self._engine, self.serving = engine, BASE
        facts = await engine.load(spec)
        await self._restore()
        self._move("ready", f"Answering with {self.serving}.", facts)

    def died(self) -> None:
        """The engine's process is gone: restart it in the background, once for each death."""
        if self._closed or (self._revival is not None and not self._revival.done()):
            return
        self._move("restarting", "The engine stopped unexpectedly and is being restarted. Nothing was lost.")
        self._revival = asyncio.create_task(self._restart(), name="engine-restart")

    async def _restart(self) -> None:
        while not self._closed:
            now = self._clock()
            self._deaths = [at for at in self._deaths if now - at < DEATH_WINDOW] + [now]
            if len(self._deaths) >= DEATHS_ALLOWED:
                await self._drop()
                self._move(
                    "failed",
                    with_log(
                        f"The engine stopped {len(self._deaths)} times within a minute and stays off. "
                        "Nothing was lost: send again to try once more, or run `deskloop doctor`.",
                        self.log,
                    ),
                )
                return
            await self._sleep(FIRST_DELAY * 2 ** (len(self._deaths) - 1))
            try:
                await self._bring_up()
                return
            except EngineError as error:
                if error.kind != "engine-died":
                    self._give_up(error)
                    return

    def _give_up(self, error: EngineError) -> None:
        if error.kind == "base-missing":
            self._move("absent", error.sentence)
        else:
            self._move("failed", with_log(error.sentence, self.log))

    async def unload(self, sentence: str) -> None:
        """Free the engine's memory until :meth:`reload`; *sentence* tells why the chat waits meanwhile."""
        self.held = sentence
        await self._stop(sentence)

    async def reload(self) -> None:
        """End an :meth:`unload`."""
        self.held = None
        await self.start()

    async def restart(self) -> None:
        """Load again from scratch, after the desk's base or quantization changed."""
        await self._stop("The model is being changed.")
        await self.start()

    async def _stop(self, sentence: str) -> None:
        """Let a start end, a restart not begin and a reply be finished; then drop the engine."""
        async with self._starting:
            await self._end_revival()
            async with self._use:
                await self._drop()
                self._move("absent", sentence)

    async def _end_revival(self) -> None:
        if self._revival is not None:
            self._revival.cancel()
            with suppress(asyncio.CancelledError):
                await self._revival

    async def close(self) -> None:
        """Stop the engine for good."""
        self._closed = True
        await self._end_revival()
        await self._drop()
        self._move("absent", "The engine is closed.")

    async def _drop(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            with suppress(EngineError, OSError):
                await engine.close()

    # -- use ---------------------------------------------------------------------------------------
    async def wait_ready(self) -> None:
        """Wait until the engine can be used; start it if it gave up before.

        Raises :class:`DeskError` if there is nothing to wait for."""
        if self.state.name in ("absent", "failed"):
            await self.start()
        while self.state.name not in ("ready", "busy"):
            if self.state.name in ("absent", "failed") or self._closed:
                raise DeskError(self.state.sentence)
            await self.moved()

    async def moved(self) -> None:
        """Wait for the next change of state."""
        await self._moved.wait()

    @asynccontextmanager
    async def use(self, purpose: str | None = None) -> AsyncIterator[Engine]:
        """Lend the engine: between replies, alone. An engine that dies meanwhile is restarted afterwards.

        *purpose*: the sentence for those who wait, where the engine is not lent for a reply or a swap."""
        while True:
            await self.wait_ready()
            await self._use.acquire()
            if self.state.name == "ready" and self._engine is not None:
                break
            self._use.release()
        engine, facts = self._engine, self.state.facts
        self.purpose = purpose
        self._move("busy", purpose or "The engine is answering.", facts)
        try:
            yield engine
        except EngineError as error:
            if error.kind == "engine-died":
                self.died()
            raise
        finally:
            self._given_back(engine, facts)

    def _given_back(self, engine: Engine, facts: BaseFacts | None) -> None:
        self.purpose = None
        if self.state.name == "busy" and engine is self._engine:
            self._move("ready", f"Answering with {self.serving}.", facts)
        self._use.release()

    async def apply(self, adapter: AdapterRef | None) -> float:
        """Make *adapter* (None: the bare base) answer from the next reply on; returns the seconds it took.

        Only for whoever holds :meth:`use`, and for ``restore``. Raises :class:`EngineError`; the engine
        then goes on with what it had."""
        if self._engine is None:
            raise EngineError("engine-died", "The engine is not running.")
        activation = await self._engine.activate(adapter)
        self.serving = adapter.version if adapter is not None else BASE
        return activation.seconds

    async def cancel(self) -> None:
        """Stop the generation that is running, if one is."""
        if self._engine is not None and self.state.name == "busy":
            with suppress(EngineError):
                await self._engine.cancel()

    def _move(self, name: EngineName, sentence: str, facts: BaseFacts | None = None) -> None:
        self.state = EngineState(name, sentence, facts)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self._changed(self.state)
