"""The line to an engine's process: starting it, what is said over its pipes, its pulse, and its end. Imports no
torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from bot import wire
from bot.child import child_options, module_command
from bot.engines.line import DIED, Line
from bot.pulse import BEAT
from bot.types import EngineError, RequestId, new_id

LOG_LIMIT = 5 * 2**20  # bytes; a longer log is moved aside at the next start
GRACE = 2.0  # seconds a process gets to end by itself before it is killed


class Link(Line):
    """One process that runs *module*, and the requests that are in flight to it.

    ``log``: where everything the process prints goes. ``on_death``: called in the event loop if the process ends
    without being asked to; requests in flight raise :class:`EngineError` (``engine-died``)."""

    def __init__(self, module: str, log: Path, on_death: Callable[[], None] | None) -> None:
        super().__init__()
        self._module, self._log, self._on_death = module, log, on_death
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return None if self._process is None else self._process.pid

    # -- life --------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Start the process, unless it was."""
        if self._process is not None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with open_log(self._log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *module_command(self._module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=wire.LINE_LIMIT,
                **child_options(),
            )
        self._reader = asyncio.create_task(self._read(self._process), name="engine-events")
        self._watch = asyncio.create_task(self._feel_pulse(self._process), name="engine-pulse")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while line := await process.stdout.readline():
                with contextlib.suppress(ValueError):
                    self._heard(line)
        self._dead = True
        if self._watch is not None:
            self._watch.cancel()
        await process.wait()
        self._cut()
        if not self._closing and self._on_death is not None:
            self._on_death()

    async def _feel_pulse(self, process: asyncio.subprocess.Process) -> None:
        """Replace a process that hangs: killed, it is one that died, for whoever waits for it and for its owner."""
        while True:
            await asyncio.sleep(BEAT)
            busy, loading, stopping = bool(self._inboxes), bool(self._loading), bool(self._stopping)
            finding = self._pulse.look(busy=busy, loading=loading, stopping=stopping)
            if finding == "hung":
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return
            with contextlib.suppress(EngineError):
                if finding == "stuck" and not stopping:
                    for request in self.in_flight:
                        await self.cancel(request)
                if self._pulse.answered:
                    self._pulse.answered = False
                    await self.send(wire.Beat(id=new_id()))

    async def close(self) -> None:
        """End the process: by closing its input, and if that does not help by force."""
        self._closing = True
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    # -- requests ----------------------------------------------------------------------------------
    async def send(self, message: wire.Request) -> None:
        """See :class:`bot.engines.line.Line`."""
        if self._process is None or self._dead:
            raise EngineError("engine-died", DIED)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(wire.encode(message))
            await self._process.stdin.drain()
        except (ConnectionError, OSError, RuntimeError) as error:
            raise EngineError("engine-died", DIED) from error

    async def cancel(self, request: RequestId) -> None:
        """Tell the process to stop *request*; one that does not come to it is killed after a while."""
        if self._process is not None:
            await super().cancel(request)


def open_log(path: Path) -> IO[bytes]:
    """The log at *path*; where the disk takes none, the engine works without."""
    try:
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".old.log"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError:
        return Path(os.devnull).open("ab")
