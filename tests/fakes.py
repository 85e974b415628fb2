"""An engine without a model: it says what it is told to, waits where it is told to, and dies on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import ClassVar

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

FACTS = BaseFacts("f" * 64, "nf4", 134_515_008, "llama", 49_152, 8_192, 1.0, 10**9, 2, "cpu")
PROBE = ProbeResult(True, 3.0, (1.0, 2.0))


class FakeEngine:
    """Implements :class:`bot.engines.engine.Engine`. *reply* makes the words of an answer from a prompt and the active
    version; ``gate``, if set, is awaited before each word, so that a test decides when the bot goes on."""

    made: ClassVar[list[FakeEngine]] = []

    def __init__(
        self,
        *,
        log: Path | None = None,
        on_death: Callable[[], None] | None = None,
        reply: Callable[[Prompt, str], str] = lambda prompt, version: f"{version} says: {prompt.message}",
    ) -> None:
        self.log, self._on_death, self._reply = log, on_death, reply
        self.active = "base"
        self.prompts: list[Prompt] = []
        self.gate: asyncio.Semaphore | None = None
        self.unfit: set[str] = set()
        self._stopped = self._dead = False
        FakeEngine.made.append(self)

    def die(self) -> None:
        """As if the process had been killed."""
        self._dead = True
        if self.gate is not None:
            self.gate.release()
        if self._on_death is not None:
            self._on_death()

    def _alive(self) -> None:
        if self._dead:
            raise EngineError("engine-died", "The engine stopped unexpectedly.")

    async def load(self, base: BaseSpec) -> BaseFacts:
        return FACTS

    async def stream(
        self, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncIterator[str | Answer]:
        self._alive()
        self.prompts.append(prompt)
        self._stopped = False
        said: list[str] = []
        for word in self._reply(prompt, self.active).split(" "):
            if self.gate is not None:
                await self.gate.acquire()
            self._alive()
            if self._stopped:
                break
            said.append(word)
            yield word if len(said) == 1 else f" {word}"
        finish = "stopped" if self._stopped else "complete"
        yield Answer(" ".join(said), len(said), 0.1, 0.01, finish)  # type: ignore[arg-type]

    async def cancel(self) -> None:
        self._stopped = True
        if self.gate is not None:
            self.gate.release()

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 1 for text in texts]

    async def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        on_progress: Progress | None = None,
        limits: Sequence[int] | None = None,
    ) -> list[Answer]:
        self._alive()
        return [Answer(self._reply(prompt, self.active), 3, 0.1, None, "complete") for prompt in prompts]

    async def likelihoods(self, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        self._alive()
        return [-0.5 if self.active == "base" else -1.0 for _ in texts]

    async def activate(self, adapter: AdapterRef | None) -> Activation:
        self._alive()
        if adapter is not None and adapter.version in self.unfit:
            raise EngineError("probe-failed", f"{adapter.version} does not answer as it did.")
        self.active = "base" if adapter is None else adapter.version
        return Activation(self.active, 0.004, PROBE)

    async def probe(self, folder: str) -> ProbeResult:
        return PROBE

    async def status(self) -> EngineStatus:
        return EngineStatus(self.active, (), 10**9, FACTS)

    async def close(self) -> None:
        self._dead = True
