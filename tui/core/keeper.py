"""Keeps an engine alive: starts it, says whose turn it is, and brings it back when it dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from bot.engines import Engine, EngineFactory
from bot.types import (
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Decoding,
    EngineError,
    Priority,
    Prompt,
    Readiness,
    RequestId,
    Ticket,
)
from store.words import BASE, Version
from tui.core.errors import DeskError, with_log
from tui.core.events import EngineName, EngineState

DEATHS_ALLOWED = 3  # deaths within DEATH_WINDOW after which a restart would only burn the machine
DEATH_WINDOW = 60.0  # seconds
FIRST_DELAY = 0.5  # seconds before the first restart; doubled each time, so that a crash loop stays readable


async def nothing() -> None:
    """Nothing has to be done."""


Spec = Callable[[], BaseSpec]  # raises DeskError with the sentence that says how to get a base


class EngineKeeper:
    """One engine for one app. ``serving`` is the version that a reply names when it begins.

    Who asks takes a :meth:`turn`: one reply, or one batch, after the other, so that whoever waits can be told for what.
    Versions are made ready beside that, whoever has the turn. A death is noticed by callback or by the error of the
    call in flight; the keeper then restarts the engine with back-off, and calls ``prepare``, which makes the wanted
    version ready and lets it serve, before anybody may ask again. ``free``: frees the memory that an engine may keep
    for a while after it was closed.
    """

    def __init__(
        self,
        spec: Spec,
        factory: EngineFactory,
        log: Path,
        *,
        changed: Callable[[EngineState], None],
        prepare: Callable[[], Awaitable[None]],
        free: Callable[[], Awaitable[None]] = nothing,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._spec, self._factory, self._changed, self._prepare = spec, factory, changed, prepare
        self._clock, self._sleep, self._free = clock, sleep, free
        self.log = log
        self.state = EngineState("absent", "The engine has not started yet.")
        self.serving = BASE
        self._engine: Engine | None = None
        self._ready: dict[Version, Readiness] = {}
        self._turns = asyncio.Lock()
        self._loads = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._moved = asyncio.Event()
        self._deaths: list[float] = []
        self._revival: asyncio.Task[None] | None = None
        self.held: str | None = None
        self.purpose: str | None = None  # the sentence for those who wait, if the turn is not a reply's
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
        """Load the base and make the wanted version ready, or raise :class:`EngineError`."""
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
        self._engine = engine
        facts = await engine.load(spec)
        await self._prepare()
        self._move("ready", f"Answering with {self.serving}.", facts)

    def died(self) -> None:
        """The engine's process is gone: restart it in the background, once for each death."""
        if self._closed or (self._revival is not None and not self._revival.done()):
            return
        self._move("restarting", "The engine stopped unexpectedly and is restarting. Nothing was lost.")
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
                        "Nothing was lost: send again to retry, or run `deskloop doctor`.",
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
        await self._free()

    async def reload(self) -> None:
        """End an :meth:`unload`."""
        self.held = None
        await self.start()

    async def restart(self) -> None:
        """Load again from scratch, after the desk's base or quantization changed."""
        await self._stop("The model is being changed.")
        await self.start()

    async def _stop(self, sentence: str) -> None:
        """Let a start end, a restart not begin and a turn be finished; then drop the engine."""
        async with self._starting:
            await self._end_revival()
            async with self._turns, self._loads:
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
        self.serving = BASE
        self._ready.clear()
        if engine is not None:
            with suppress(EngineError, OSError):
                await engine.close()

    # -- asking -------------------------------------------------------------------------------------
    @property
    def clients(self) -> int:
        """How many apps and commands share the engine with this one, itself included."""
        clients: int = getattr(self._engine, "clients", 1)
        return clients

    @property
    def running(self) -> bool:
        """Whether an engine is there to be asked."""
        return self.state.name in ("ready", "busy")

    async def wait_ready(self) -> None:
        """Wait until the engine can be used; start it if it gave up before.

        Raises :class:`DeskError` if there is nothing to wait for."""
        if self.state.name in ("absent", "failed"):
            await self.start()
        while not self.running:
            if self.state.name in ("absent", "failed") or self._closed:
                raise DeskError(self.state.sentence)
            await self.moved()

    async def moved(self) -> None:
        """Wait for the next change of state."""
        await self._moved.wait()

    @asynccontextmanager
    async def turn(self, purpose: str | None = None) -> AsyncIterator[Engine]:
        """The engine, when it is this caller's turn. One that dies meanwhile is restarted afterwards.

        *purpose*: the sentence for those who wait, where it is not for a reply."""
        while True:
            await self.wait_ready()
            await self._turns.acquire()
            if self.state.name == "ready" and self._engine is not None:
                break
            self._turns.release()
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
            self._end_turn(engine, facts)

    def _end_turn(self, engine: Engine, facts: BaseFacts | None) -> None:
        self.purpose = None
        if self.state.name == "busy" and engine is self._engine:
            self._move("ready", f"Answering with {self.serving}.", facts)
        self._turns.release()

    async def idly(self, version: Version, prompt: Prompt, decoding: Decoding) -> Answer:
        """What *version*, which is ready, answers when nobody waits for it: beside the turns, and behind all of them.

        Raises :class:`EngineError`."""
        engine = self._running_engine()
        with self._dying(engine):
            (answer,) = await engine.batch(Ticket(version, Priority.IDLE), [prompt], decoding)
        return answer

    async def cancel(self, request: RequestId) -> None:
        """Stop *request*, if it still is to be answered."""
        if self._engine is not None:
            with suppress(EngineError):
                await self._engine.cancel(request)

    # -- versions ----------------------------------------------------------------------------------
    async def ready(self, adapter: AdapterRef) -> Readiness:
        """Make a version ready in the engine that runs; replies go on meanwhile, with what serves them.

        Raises :class:`EngineError`; the version is then not ready."""
        async with self._loads:
            engine = self._running_engine()
            self._ready.pop(adapter.version, None)
            with self._dying(engine):
                readiness = await engine.ready(adapter)
            self._ready[adapter.version] = readiness
            return readiness

    async def forget(self, version: Version) -> None:
        """Drop *version*, which serves nobody, from the memory of the engine, if one runs."""
        async with self._loads:
            if self._ready.pop(version, None) is not None and self._engine is not None:
                with suppress(EngineError):  # it is gone with everything then
                    await self._engine.forget(version)

    def _running_engine(self) -> Engine:
        if self._engine is None:
            raise EngineError("engine-died", "The engine is not running.")
        return self._engine

    @contextmanager
    def _dying(self, engine: Engine) -> Iterator[None]:
        """Notice that *engine* dies, where nobody has its turn."""
        try:
            yield
        except EngineError as error:
            if error.kind == "engine-died" and engine is self._engine and self.running:
                self.died()
            raise

    def readiness(self, version: Version) -> Readiness | None:
        """How *version* was made ready in the engine that runs, if it was."""
        return self._ready.get(version)

    def serve(self, version: Version) -> None:
        """Let replies that begin from now on name *version*: the bare base, or one that is ready."""
        if version != BASE and version not in self._ready:
            raise EngineError("not-ready", f"{version} is not loaded, so it can't answer.")
        self.serving = version
        if self.state.name == "ready":
            self._move("ready", f"Answering with {version}.", self.state.facts)

    def _move(self, name: EngineName, sentence: str, facts: BaseFacts | None = None) -> None:
        self.state = EngineState(name, sentence, facts)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self._changed(self.state)
