"""An engine in another process, from the side of whoever asks it. Imports no torch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from bot import wire
from bot.engines.line import Line
from bot.engines.link import Link
from bot.types import (
    NOTHING,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Capabilities,
    Decoding,
    EngineError,
    EngineStatus,
    Expected,
    ProbeResult,
    Prompt,
    Readiness,
    RequestId,
    Ticket,
    new_id,
)
from store.words import Version


class RemoteEngine:
    """An :class:`bot.engines.engine.Engine` at the other end of *line*, which can do what *capabilities* say."""

    def __init__(self, line: Line, capabilities: Capabilities) -> None:
        self._line, self.capabilities = line, capabilities

    @property
    def pid(self) -> int | None:
        """The id of the process."""
        return self._line.pid

    @property
    def clients(self) -> int:
        """How many share it."""
        return self._line.clients

    async def load(self, base: BaseSpec) -> BaseFacts:
        """See :class:`bot.engines.engine.Engine`; reaches the process first if need be."""
        await self._line.start()
        return await self._line.call(wire.Load(id=new_id(), base=base), BaseFacts)

    async def ready(self, adapter: AdapterRef) -> Readiness:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._line.call(wire.MakeReady(id=new_id(), adapter=adapter), Readiness)

    async def forget(self, version: Version) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        await self._line.call(wire.Forget(id=new_id(), version=version), object)

    async def stream(
        self, ticket: Ticket, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncGenerator[str | Answer, None]:
        """See :class:`bot.engines.engine.Engine`."""
        request = wire.Stream(
            id=ticket.id,
            version=ticket.version,
            priority=ticket.priority,
            prompt=prompt,
            decoding=decoding,
            conversation=conversation,
        )
        # Closed with this iterator, so that the request is known as long as somebody listens to it.
        async with contextlib.aclosing(self._line.events(request)) as events:
            try:
                async for event in events:
                    match event:
                        case wire.Text(text=text):
                            yield text
                        case wire.Done():
                            yield wire.result_of(event, Answer)
            except (asyncio.CancelledError, GeneratorExit):
                with contextlib.suppress(EngineError):
                    await self.cancel(ticket.id)
                raise

    async def batch(
        self,
        ticket: Ticket,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        expected: Expected = NOTHING,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]:
        """See :class:`bot.engines.engine.Engine`."""
        request = wire.Batch(
            id=ticket.id,
            version=ticket.version,
            priority=ticket.priority,
            prompts=tuple(prompts),
            decoding=decoding,
            expected=expected,
        )
        answers: dict[int, Answer] = {}
        tell = on_progress or (lambda done, wanted: None)
        counted = False  # by the engine, which knows before the answers are here
        async with contextlib.aclosing(self._line.events(request)) as events:
            try:
                async for event in events:
                    match event:
                        case wire.Progress(done=done, wanted=wanted):
                            counted = True
                            tell(done, wanted)
                        case wire.Answered(index=index, answer=answer):
                            answers[index] = answer
                            if not counted:
                                tell(len(answers), len(prompts))
            except asyncio.CancelledError:
                with contextlib.suppress(EngineError):
                    await self.cancel(ticket.id)
                raise
        if len(answers) != len(prompts):
            raise EngineError("failed", "The answers were stopped before they were complete.")
        return [answers[index] for index in range(len(prompts))]

    async def likelihoods(self, ticket: Ticket, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """See :class:`bot.engines.engine.Engine`."""
        request = wire.Likelihoods(id=ticket.id, version=ticket.version, priority=ticket.priority, texts=tuple(texts))
        return await self._line.call(request, list[float])

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._line.call(wire.Lengths(id=new_id(), texts=tuple(texts)), list[int])

    async def probe(self, folder: str) -> ProbeResult:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._line.call(wire.Probe(id=new_id(), folder=folder), ProbeResult)

    async def cancel(self, request: RequestId) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        await self._line.cancel(request)

    async def status(self) -> EngineStatus:
        """See :class:`bot.engines.engine.Engine`."""
        return await self._line.call(wire.Status(id=new_id()), EngineStatus)

    async def close(self) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        await self._line.close()


class EngineProcess(RemoteEngine):
    """An :class:`bot.engines.engine.Engine` in a child process of its own, which runs *module*. ``log`` and
    ``on_death``: see :class:`bot.engines.engine.EngineFactory`."""

    def __init__(
        self, module: str, capabilities: Capabilities, *, log: Path, on_death: Callable[[], None] | None = None
    ) -> None:
        super().__init__(Link(module, log, on_death), capabilities)
