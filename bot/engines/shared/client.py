"""The engine of a desk from the side of one of its clients. Imports no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.child import child_options, module_command
from bot.engines.child import RemoteEngine
from bot.engines.engine import Engine, EngineFactory
from bot.engines.line import DIED
from bot.engines.link import open_log
from bot.engines.shared.finding import (
    LOOPBACK,
    NobodyThereError,
    Place,
    SilentError,
    StrangerError,
    Talk,
    call,
    let_end,
    private,
)
from bot.engines.shared.line import HostLine
from bot.engines.shared.words import known, name_of
from bot.types import (
    NOTHING,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Decoding,
    EngineError,
    EngineStatus,
    Expected,
    ProbeResult,
    Prompt,
    Readiness,
    RequestId,
    Ticket,
)
from store.words import Version

HOST = "bot.engines.shared.host"
START_SECONDS = 30.0  # for a host to be there; it imports no library that computes
LOOK_AGAIN = 0.02  # seconds between two looks for a host that starts
TAKEN = 3  # exit code of a host that found another one


def torch() -> str:
    """The back end of a desk that says nothing of one."""
    return "torch"


@dataclass(frozen=True, slots=True)
class SharedEngines:
    """Makes clients of the desk's engine, which is found in *folder*: an :class:`bot.engines.engine.EngineFactory`.

    ``alone``: makes an engine of one's own, where none can be shared: no host can be started or reached, or what
    answers is another's. ``back_end``: which one the desk wants, asked when a base is loaded. ``starts``: whether a
    client starts the host if there is none; else it has an engine of its own then. ``linger``: seconds that a host
    waits for clients, where that is not to be the usual time; ``loopback``:
    it listens on a port."""

    folder: Path
    alone: EngineFactory
    back_end: Callable[[], str] = torch
    starts: bool = True
    linger: float | None = None
    loopback: bool = LOOPBACK

    def __call__(self, *, log: Path, on_death: Callable[[], None] | None = None) -> SharedEngine:
        """The engine factory."""
        return SharedEngine(self, log, on_death)


class SharedEngine:
    """An :class:`bot.engines.engine.Engine` that others use, too. Which host it asks is known once a base is loaded.

    A host of just that base answers it. So where the settings name another base, this client goes to another host, and
    the former one ends with its last client. A host that dies, or hangs and is killed, ends as a child of one's own
    does: requests in flight raise ``engine-died``, and ``on_death`` is called."""

    def __init__(self, engines: SharedEngines, log: Path, on_death: Callable[[], None] | None) -> None:
        self._engines, self._log, self._on_death = engines, log, on_death
        self._own = engines.alone(log=log, on_death=on_death)  # not started, unless none can be shared
        self.capabilities = self._own.capabilities
        self._engine: Engine | None = None
        self._name = ""

    @property
    def pid(self) -> int | None:
        """The process that is asked: the host's, or that of an engine of one's own."""
        pid: int | None = getattr(self._engine, "pid", None)
        return pid

    @property
    def clients(self) -> int:
        """How many share it, as far as is known; it is told every few seconds."""
        clients: int = getattr(self._engine, "clients", 1)
        return clients

    @property
    def shared(self) -> bool:
        """Whether it asks an engine that others may use."""
        return self._engine is not None and self._engine is not self._own

    def _now(self) -> Engine:
        if self._engine is None:
            raise EngineError("engine-died", DIED)
        return self._engine

    async def load(self, base: BaseSpec) -> BaseFacts:
        """See :class:`bot.engines.engine.Engine`; finds the host of this base, and starts it if need be. Where others
        have it loaded, nothing is loaded again."""
        base = await asyncio.to_thread(known, base)
        back_end = self._engines.back_end()
        name = await asyncio.to_thread(name_of, base, back_end)
        if not self.shared or name != self._name:
            await self._join(base, name, back_end)
        return await self._now().load(base)

    async def _join(self, base: BaseSpec, name: str, back_end: str) -> None:
        before, self._engine, self._name = self._engine, None, name
        if before is not None and before is not self._own:
            await before.close()
        place = Place.of(self._engines.folder, name, loopback=self._engines.loopback)
        talk: Talk | None = None
        if await asyncio.to_thread(private, place.folder):
            # Whoever waits here holds nothing that a cancel could leave behind: a host without clients ends.
            start = self._start_of(place, base, back_end) if self._engines.starts else None
            talk = await _Search(place, start).go()
        self._engine = self._own if talk is None else RemoteEngine(HostLine(talk, self._on_death), self.capabilities)

    def _start_of(self, place: Place, base: BaseSpec, back_end: str) -> Callable[[], subprocess.Popen[bytes]]:
        options = ["--folder", str(place.folder), "--name", place.name, "--log", str(self._log.absolute())]
        options += ["--base", base.folder, "--quantization", base.quantization, "--back-end", back_end]
        if base.digest is not None:
            options += ["--digest", base.digest]
        if place.loopback:
            options.append("--loopback")
        if self._engines.linger is not None:
            options += ["--linger", str(self._engines.linger)]

        def start() -> subprocess.Popen[bytes]:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with open_log(self._log) as log:
                process = subprocess.Popen(
                    [*module_command(HOST), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **child_options(leashed=False),  # it belongs to all of its clients
                )
            threading.Thread(target=process.wait, name="host", daemon=True).start()  # so that none stays unburied
            return process

        return start

    async def close(self) -> None:
        """Ask no more: a shared engine ends after its last client, one of one's own at once."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

    # -- requests ----------------------------------------------------------------------------------
    async def ready(self, adapter: AdapterRef) -> Readiness:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().ready(adapter)

    async def forget(self, version: Version) -> None:
        """See :class:`bot.engines.engine.Engine`; it stays in memory as long as others use it."""
        await self._now().forget(version)

    async def stream(
        self, ticket: Ticket, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncGenerator[str | Answer, None]:
        """See :class:`bot.engines.engine.Engine`."""
        async with contextlib.aclosing(self._now().stream(ticket, prompt, decoding, conversation)) as items:
            async for item in items:
                yield item

    async def batch(
        self,
        ticket: Ticket,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        expected: Expected = NOTHING,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().batch(ticket, prompts, decoding, expected, on_progress)

    async def likelihoods(self, ticket: Ticket, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().likelihoods(ticket, texts)

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().lengths(texts)

    async def probe(self, folder: str) -> ProbeResult:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().probe(folder)

    async def cancel(self, request: RequestId) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        if self._engine is not None:
            await self._engine.cancel(request)

    async def status(self) -> EngineStatus:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._now().status()


class _Search:
    """Finds the host at *place*; *start* starts it (None: it is to be there)."""

    def __init__(self, place: Place, start: Callable[[], subprocess.Popen[bytes]] | None) -> None:
        self._place, self._start = place, start
        self._process: subprocess.Popen[bytes] | None = None

    async def go(self) -> Talk | None:
        """The line to it; None if there is none to be had."""
        killed = False
        with contextlib.suppress(TimeoutError, StrangerError, OSError):
            async with asyncio.timeout(START_SECONDS):
                while True:
                    try:
                        return await call(self._place)
                    except SilentError as silent:
                        if silent.pid is None or killed:
                            return None
                        killed = True  # it hangs, as those who use it will find, too
                        os.kill(silent.pid, signal.SIGKILL)
                    except NobodyThereError:
                        if not await self._starting():
                            return None
                    await asyncio.sleep(LOOK_AGAIN)
        return None

    async def _starting(self) -> bool:
        """Whether a host starts. Several clients may start one at the same instant: the lock lets one of them be it,
        and the others end and leave it to that one."""
        if self._start is None:
            return False
        if self._process is not None and (code := self._process.poll()) is not None:
            if code not in (0, TAKEN):
                return False
            self._process = None
        if self._process is None:
            await let_end(self._place.folder, but=self._place.name)  # a base that nobody uses any more
            self._process = await asyncio.to_thread(self._start)
        return True
