"""What is said to an engine that is another process, whichever way it is reached: the requests in flight and the events
that belong to them. Imports no torch."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator

from bot import wire
from bot.pulse import Pulse
from bot.types import EngineError, RequestId

LOADING = (wire.Load, wire.MakeReady, wire.Probe)  # requests that read weights
DIED = "The engine stopped unexpectedly."


class Line(ABC):
    """Requests in flight. Whoever extends it says how a message is sent (:meth:`send`), and tells what is heard and
    that the line is cut."""

    def __init__(self) -> None:
        self._inboxes: dict[RequestId, asyncio.Queue[wire.Event]] = {}
        self._loading: set[RequestId] = set()  # requests in flight that read weights
        self._stopping: set[RequestId] = set()  # requests in flight that were told to stop
        self._pulse = Pulse()
        self._dead = False
        self.clients = 1
        """How many share the process, as it said last."""

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The process's id, if it is known."""

    @abstractmethod
    async def start(self) -> None:
        """Reach the process, unless it was."""

    @abstractmethod
    async def send(self, message: wire.Request) -> None:
        """Say *message*. Raises :class:`EngineError` (``engine-died``)."""

    @abstractmethod
    async def close(self) -> None:
        """Say nothing more."""

    @property
    def in_flight(self) -> tuple[RequestId, ...]:
        """The requests that are not answered yet."""
        return tuple(self._inboxes)

    def _heard(self, line: bytes) -> None:
        """Give the event in *line* to whoever waits for it. Raises :class:`ValueError` if it is none."""
        event = wire.decode_event(line)
        if isinstance(event, wire.Pulse):
            self.clients = event.clients
        self._pulse.heard(event.processor if isinstance(event, wire.Pulse) else None)
        if (inbox := self._inboxes.get(event.id)) is not None:
            inbox.put_nowait(event)

    def _cut(self) -> None:
        """The process is gone: whoever waits for it is told."""
        self._dead = True
        for request, inbox in self._inboxes.items():
            inbox.put_nowait(wire.Failed(id=request, kind="engine-died", sentence=DIED))

    async def events(self, request: wire.Request) -> AsyncGenerator[wire.Event, None]:
        """Send *request*, and every event of its answer up to :class:`bot.wire.Done`. Raises :class:`EngineError`."""
        inbox = self._inboxes[request.id] = asyncio.Queue[wire.Event]()
        if isinstance(request, LOADING):
            self._loading.add(request.id)
        try:
            await self.send(request)
            while True:
                event = await inbox.get()
                if isinstance(event, wire.Failed):
                    raise EngineError(event.kind, event.sentence)
                yield event
                if isinstance(event, wire.Done):
                    return
        finally:
            del self._inboxes[request.id]
            self._loading.discard(request.id)
            self._stopping.discard(request.id)

    async def call(self, request: wire.Request, kind: type[wire.Made]) -> wire.Made:
        """Send *request*; returns what it is answered by, as *kind*. Raises :class:`EngineError`."""
        async with contextlib.aclosing(self.events(request)) as events:
            async for event in events:
                if isinstance(event, wire.Done):
                    return wire.result_of(event, kind)
        raise EngineError("failed", "The engine gave no answer.")

    async def cancel(self, request: RequestId) -> None:
        """Tell the process to stop *request*."""
        if request in self._inboxes:
            self._stopping.add(request)
        await self.send(wire.Cancel(id=request))
