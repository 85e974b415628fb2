"""The line to the host of a shared engine: requests in flight over a socket, and the host's pulse. Imports no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from bot import wire
from bot.engines.line import DIED, Line
from bot.engines.shared.finding import Talk
from bot.pulse import BEAT
from bot.types import EngineError, new_id


class HostLine(Line):
    """Requests over *talk*. ``on_death``: called in the event loop if the line ends without being asked to: the host
    is gone then, or has hung and was killed."""

    def __init__(self, talk: Talk, on_death: Callable[[], None] | None) -> None:
        super().__init__()
        self._talk, self._on_death = talk, on_death
        self._closing = False
        self.clients = talk.welcome.clients + 1
        self._reader = asyncio.create_task(self._read(), name="host-events")
        self._watch = asyncio.create_task(self._feel_pulse(), name="host-pulse")

    @property
    def pid(self) -> int | None:
        """The host's process."""
        return self._talk.pid

    async def start(self) -> None:
        """It is there."""

    async def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await self._talk.reader.readline():
                with contextlib.suppress(ValueError):
                    self._heard(line)
        self._watch.cancel()
        self._talk.writer.transport.abort()
        self._cut()
        if not self._closing and self._on_death is not None:
            self._on_death()

    async def _feel_pulse(self) -> None:
        """Replace a host that says nothing. Only its silence tells: whether the back end moves is watched by itself,
        and a host has nothing to compute that would keep it from answering."""
        while True:
            await asyncio.sleep(BEAT)
            if self._pulse.look(busy=False, loading=False, stopping=False) == "hung":
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(self._talk.pid, signal.SIGKILL)
                self._talk.writer.transport.abort()
                return
            if self._pulse.answered:
                self._pulse.answered = False
                # Not waiting until it is taken, which a host that hangs does not.
                self._talk.writer.write(wire.encode(wire.Beat(id=new_id())))

    async def send(self, message: wire.Request) -> None:
        """See :class:`bot.engines.line.Line`."""
        if self._dead:
            raise EngineError("engine-died", DIED)
        try:
            self._talk.writer.write(wire.encode(message))
            await self._talk.writer.drain()
        except (OSError, RuntimeError) as error:
            raise EngineError("engine-died", DIED) from error

    async def close(self) -> None:
        """Hang up: the host ends by itself when nobody is left, and what was asked here is stopped there."""
        self._closing = True
        self._watch.cancel()
        self._talk.writer.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, self._watch, return_exceptions=True)
        self._cut()
