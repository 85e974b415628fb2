"""An engine without a model, for tests: it does as its script says, keeps the engine's promises, and takes no time.

Where a test decides when something goes on, it sets a gate or a pause; nothing here waits for a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.engines.engine import EngineFactory
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
    Priority,
    ProbeResult,
    Prompt,
    Readiness,
    RequestId,
    Ticket,
)
from store.words import BASE, Version

FACTS: Final = BaseFacts("f" * 64, "nf4", 134_515_008, "llama", 49_152, 8_192, 1.0, 10**9, 2, "cpu")
PROBE: Final = ProbeResult(True, 3.0, (1.0, 2.0))
DIED: Final = EngineError("engine-died", "The engine stopped unexpectedly.")
CAPABILITIES: Final = Capabilities("scripted", ("LORA",), ("nf4",), parallel=True, likelihoods=True)
BASE_LIKELIHOOD, OTHER_LIKELIHOOD = -0.5, -1.0


def _says(prompt: Prompt, version: Version) -> str:
    return f"{version} says: {prompt.message}"


@dataclass
class Script:
    """What the engines of one test do, and what they were asked; called, it makes one (an ``EngineFactory``).

    ``loads``: what each load raises, in order (None: nothing). ``reply``: the text of an answer, which comes in words;
    ``deltas``: what every answer says instead, in these pieces. ``gate``: each piece of a stream waits for it.
    ``pause``: a stream waits for it after its first piece. ``ends``: what a stream raises at its end. ``unfit``: what
    making a version ready raises. ``before_batch``: awaited before the answers of a batch. ``certainty``: of
    every answer."""

    loads: list[EngineError | None] = field(default_factory=list)
    reply: Callable[[Prompt, Version], str] = _says
    deltas: Sequence[str] | None = None
    gate: asyncio.Semaphore | None = None
    pause: asyncio.Event | None = None
    ends: EngineError | None = None
    unfit: dict[str, EngineError] = field(default_factory=dict)
    before_batch: Callable[[], Awaitable[None]] | None = None
    certainty: float | None = None
    # What happened.
    engines: list[ScriptedEngine] = field(default_factory=list)
    asked: list[tuple[Version, Prompt]] = field(default_factory=list)
    batches: list[tuple[Decoding, Sequence[Prompt], Expected]] = field(default_factory=list)
    scored: list[Version] = field(default_factory=list)

    def __call__(self, *, log: Path, on_death: Callable[[], None] | None = None) -> ScriptedEngine:
        """The engine factory."""
        self.engines.append(ScriptedEngine(self, on_death or (lambda: None)))
        return self.engines[-1]

    @property
    def prompts(self) -> list[Prompt]:
        """What was asked, whichever version it was for."""
        return [prompt for _, prompt in self.asked]

    def pieces(self, prompt: Prompt, version: Version) -> list[str]:
        """The text deltas of the answer to *prompt*."""
        if self.deltas is not None:
            return list(self.deltas)
        first, *others = self.reply(prompt, version).split(" ")
        return [first, *(f" {word}" for word in others)]


class ScriptedEngine:
    """See :class:`Script`. ``made_ready``: the versions it was asked to make ready, in their order; ``cancelled``: the
    requests that were; ``tickets``: the version and priority of every batch."""

    capabilities = CAPABILITIES

    def __init__(self, script: Script, on_death: Callable[[], None] = lambda: None) -> None:
        self.script, self._on_death = script, on_death
        self.closed = False
        self.versions: list[Version] = []
        self.made_ready: list[Version] = []
        self.cancelled: list[RequestId] = []
        self.tickets: list[tuple[Version, Priority]] = []
        self._going: dict[RequestId, asyncio.Event] = {}  # set to stop it
        self._seen: set[tuple[Version, str]] = set()  # the conversations a version has a cache of
        self._died = asyncio.Event()

    def die(self) -> None:
        """End as if the process had been killed."""
        self._died.set()
        self._on_death()

    def _serves(self, version: Version) -> None:
        if self._died.is_set():
            raise DIED
        if version != BASE and version not in self.versions:
            raise EngineError("not-ready", f"{version} is not loaded, so it can't answer.")

    async def load(self, base: BaseSpec) -> BaseFacts:
        """See :class:`bot.engines.engine.Engine`."""
        await asyncio.sleep(0)
        fault = self.script.loads.pop(0) if self.script.loads else None
        if fault is not None:
            raise fault
        self.versions.clear()
        return FACTS

    async def ready(self, adapter: AdapterRef) -> Readiness:
        """See :class:`bot.engines.engine.Engine`."""
        self._serves(BASE)
        self.made_ready.append(adapter.version)
        if (fault := self.script.unfit.get(adapter.version)) is not None:
            await self.forget(adapter.version)
            raise fault
        if adapter.version not in self.versions:
            self.versions.append(adapter.version)
        return Readiness(adapter.version, 0.004, PROBE)

    async def forget(self, version: Version) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        if version in self.versions:
            self.versions.remove(version)

    async def stream(
        self, ticket: Ticket, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncGenerator[str | Answer, None]:
        """See :class:`bot.engines.engine.Engine`."""
        self._serves(ticket.version)
        self.script.asked.append((ticket.version, prompt))
        stop = self._going[ticket.id] = asyncio.Event()
        said: list[str] = []
        try:
            for piece in self.script.pieces(prompt, ticket.version):
                await self._wait(stop, first=len(said) == 1)
                if stop.is_set():
                    break
                said.append(piece)
                yield piece
            await self._wait(stop, first=len(said) == 1, gated=False)
        finally:
            del self._going[ticket.id]
        if self.script.ends is not None and not stop.is_set():
            raise self.script.ends
        yield Answer(
            text="".join(said),
            new_tokens=len(said),
            seconds=0.1,
            first_token_seconds=0.01,
            finish="stopped" if stop.is_set() else "complete",
            reused_tokens=self._reused(ticket.version, conversation),
            certainty=self.script.certainty,
        )

    async def _wait(self, stop: asyncio.Event, *, first: bool, gated: bool = True) -> None:
        """Wait for what the script sets, unless *stop* is set or the engine dies meanwhile."""
        waits = [self.script.gate.acquire()] if gated and self.script.gate is not None else []
        if first and self.script.pause is not None:
            waits.append(self.script.pause.wait())
        for wait in waits:
            events = [asyncio.ensure_future(one) for one in (wait, stop.wait(), self._died.wait())]
            try:
                await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for event in events:
                    event.cancel()
        if self._died.is_set():
            raise DIED

    def _reused(self, version: Version, conversation: str | None) -> int:
        if conversation is None:
            return 0
        key = (version, conversation)
        known = key in self._seen
        self._seen.add(key)
        return int(known)

    async def batch(
        self,
        ticket: Ticket,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        expected: Expected = NOTHING,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]:
        """See :class:`bot.engines.engine.Engine`."""
        self._serves(ticket.version)
        stop = self._going[ticket.id] = asyncio.Event()
        answers: list[Answer] = []
        try:
            if self.script.before_batch is not None:
                await self.script.before_batch()
            self._serves(ticket.version)
            self.tickets.append((ticket.version, ticket.priority))
            self.script.batches.append((decoding, tuple(prompts), expected))
            for prompt in prompts:
                if stop.is_set():
                    raise EngineError("failed", "The answers were stopped before they were complete.")
                self.script.asked.append((ticket.version, prompt))
                pieces = self.script.pieces(prompt, ticket.version)
                answers.append(
                    Answer("".join(pieces), len(pieces), 0.1, None, "complete", certainty=self.script.certainty)
                )
                if on_progress is not None:
                    on_progress(len(answers), len(prompts))
        finally:
            del self._going[ticket.id]
        return answers

    async def likelihoods(self, ticket: Ticket, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """See :class:`bot.engines.engine.Engine`: one number for the bare base, another for every version."""
        self._serves(ticket.version)
        self.script.scored.append(ticket.version)
        return [BASE_LIKELIHOOD if ticket.version == BASE else OTHER_LIKELIHOOD for _ in texts]

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """See :class:`bot.engines.engine.Engine`: words, and the end."""
        return [len(text.split()) + 1 for text in texts]

    async def probe(self, folder: str) -> ProbeResult:
        """See :class:`bot.engines.engine.Engine`."""
        self._serves(BASE)
        return PROBE

    async def cancel(self, request: RequestId) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        self.cancelled.append(request)
        if (stop := self._going.get(request)) is not None:
            stop.set()

    async def status(self) -> EngineStatus:
        """See :class:`bot.engines.engine.Engine`."""
        self._serves(BASE)
        return EngineStatus(tuple(self.versions), 10**9, FACTS)

    async def close(self) -> None:
        """See :class:`bot.engines.engine.Engine`."""
        self.closed = True
        self._died.set()


_CHECKED: EngineFactory = Script()  # mypy holds both against the interface
