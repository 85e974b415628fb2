"""The one engine interface. A child process is its first implementation; nothing above may know which it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from bot.types import (
    Activation,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Decoding,
    EngineStatus,
    ProbeResult,
    Prompt,
)

Progress = Callable[[int, int], None]  # answers done, answers in all


class Engine(Protocol):
    """A base with adapters on it that answers prompts. Every method may raise :class:`bot.types.EngineError`."""

    async def load(self, base: BaseSpec) -> BaseFacts:
        """Load the base; any adapters of a former base are forgotten."""
        ...

    def stream(
        self, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncIterator[str | Answer]:
        """Answer with the active version: text deltas, then the :class:`Answer` as last item.

        Prompts of one *conversation* share a cache. Closing the iterator stops the generation."""
        ...

    async def cancel(self) -> None:
        """Stop the running generation within a token; its :class:`Answer` then says ``stopped``."""
        ...

    async def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        on_progress: Progress | None = None,
        limits: Sequence[int] | None = None,
    ) -> list[Answer]:
        """Answer many prompts with the active version, in their order; *limits*: of each answer the most tokens, where
        that is less than *decoding* allows."""
        ...

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is as an answer, its end of turn included."""
        ...

    async def likelihoods(self, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """How likely the active version finds each answer to its prompt, end of turn included: the mean natural
        logarithm of the probabilities of its tokens, 0 at most."""
        ...

    async def activate(self, adapter: AdapterRef | None) -> Activation:
        """Answer with *adapter* (None: the bare base) from the next prompt on.

        Its files are verified, its keys checked, caches dropped, and its probe compared with the one recorded at
        publication. On an error what answered before goes on answering."""
        ...

    async def probe(self, folder: str) -> ProbeResult:
        """Measure an adapter that is not published yet; what is active stays active."""
        ...

    async def status(self) -> EngineStatus:
        """How the engine is doing."""
        ...

    async def close(self) -> None:
        """Stop it, surely."""
        ...
