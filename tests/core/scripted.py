"""An engine that does as a test tells it, without a model and without time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.engines.engine import Progress
from bot.types import (
    Activation,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Decoding,
    EngineError,
    EngineStatus,
    ProbeResult,
    Prompt,
)

FACTS = BaseFacts("f" * 64, "nf4", 1, "llama", 10, 10, 0.1, 1, 1, "cpu")
DIED = EngineError("engine-died", "The engine stopped unexpectedly.")


@dataclass
class Script:
    """What the engines of one test do. ``loads``: what each load raises, in order (None: nothing). ``deltas``: what
    every reply says. ``pause``: the reply waits after its first delta until this is set. ``ends``: what the reply
    raises at its end. ``unfit``: what activating a version raises."""

    loads: list[EngineError | None] = field(default_factory=list)
    deltas: list[str] = field(default_factory=lambda: ["We open ", "at nine."])
    pause: asyncio.Event | None = None
    ends: EngineError | None = None
    unfit: dict[str, EngineError] = field(default_factory=dict)
    engines: list[ScriptedEngine] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)

    def __call__(self, *, log: Path, on_death: Callable[[], None]) -> ScriptedEngine:
        """The engine factory."""
        self.engines.append(ScriptedEngine(self, on_death))
        return self.engines[-1]


class ScriptedEngine:
    """See :class:`Script`. ``die`` is the death callback of its owner."""

    def __init__(self, script: Script, on_death: Callable[[], None]) -> None:
        self.script, self.die, self.closed = script, on_death, False
        self.active, self.activated = "base", list[str]()
        self.stopped = asyncio.Event()

    async def load(self, base: BaseSpec) -> BaseFacts:
        await asyncio.sleep(0)
        fault = self.script.loads.pop(0) if self.script.loads else None
        if fault is not None:
            raise fault
        return FACTS

    async def stream(
        self, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncIterator[str | Answer]:
        self.script.prompts.append(prompt)
        self.stopped.clear()
        said = ""
        for delta in self.script.deltas:
            said += delta
            yield delta
            if self.script.pause is not None and not self.stopped.is_set():
                waits = [asyncio.create_task(event.wait()) for event in (self.script.pause, self.stopped)]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
            if self.stopped.is_set():
                yield Answer(said, 1, 0.1, 0.05, "stopped")
                return
        if self.script.ends is not None:
            raise self.script.ends
        yield Answer(said, len(self.script.deltas), 0.1, 0.05, "complete", certainty=-0.25)

    async def cancel(self) -> None:
        self.stopped.set()

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 1 for text in texts]

    async def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        on_progress: Progress | None = None,
        limits: Sequence[int] | None = None,
    ) -> list[Answer]:
        self.script.prompts += prompts
        return [Answer("".join(self.script.deltas), 2, 0.1, None, "complete") for _ in prompts]

    async def activate(self, adapter: AdapterRef | None) -> Activation:
        version = adapter.version if adapter else "base"
        self.activated.append(version)
        if version in self.script.unfit:
            raise self.script.unfit[version]
        self.active = version
        return Activation(version, 0.01)

    async def probe(self, folder: str) -> ProbeResult:
        raise NotImplementedError

    async def status(self) -> EngineStatus:
        return EngineStatus(self.active, (), 0)

    async def close(self) -> None:
        self.closed = True
