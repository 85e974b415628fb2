"""The one engine interface. What computes behind it is a back end's affair; nothing above may know which it has."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Protocol

from bot.types import (
    NOTHING,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Capabilities,
    Decoding,
    EngineStatus,
    Expected,
    ProbeResult,
    Prompt,
    Readiness,
    RequestId,
    Ticket,
)
from store.words import Version


class Engine(Protocol):
    """A base with adapters on it that answers prompts, each with the version that its ticket names: the bare base, or
    one that was made ready. There is no version that is active here. Every method may raise
    :class:`bot.types.EngineError`; a request for a version that is not ready raises it with ``not-ready``."""

    @property
    def capabilities(self) -> Capabilities:
        """What this back end can do; known before anything is loaded."""
        ...

    async def load(self, base: BaseSpec) -> BaseFacts:
        """Load the base; the versions of a former one are forgotten."""
        ...

    async def ready(self, adapter: AdapterRef) -> Readiness:
        """Make a version ready: verify its files, load them, and compare its probe with the one recorded at
        publication.

        Changes nothing for requests that name other versions. On an error the version is not ready."""
        ...

    async def forget(self, version: Version) -> None:
        """Drop *version* from memory, if it is there; it is not ready any more."""
        ...

    def stream(
        self, ticket: Ticket, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncGenerator[str | Answer, None]:
        """Answer one prompt: text deltas, then the :class:`Answer` as last item.

        Prompts of one *conversation* and one version share a cache. Closing the iterator stops the generation."""
        ...

    async def batch(
        self,
        ticket: Ticket,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        expected: Expected = NOTHING,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]:
        """Answer many prompts, in their order; *expected*: what is known of the answers; *on_progress* gets the answers
        there are, and all. Cancelling the call stops it. It gives way to requests that are more urgent, also to those
        that come while it is worked on."""
        ...

    async def likelihoods(self, ticket: Ticket, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """How likely the version finds each answer to its prompt, end of turn included: the mean natural logarithm of
        the probabilities of its tokens, 0 at most."""
        ...

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is as an answer, its end of turn included."""
        ...

    async def probe(self, folder: str) -> ProbeResult:
        """Measure an adapter that is not published yet."""
        ...

    async def cancel(self, request: RequestId) -> None:
        """Stop the request of this ticket within a token, or before it begins: the :class:`Answer` of a stream then
        says ``stopped``, a batch fails. Other requests go on. Nothing happens if it is answered already."""
        ...

    async def status(self) -> EngineStatus:
        """How the engine is doing."""
        ...

    async def close(self) -> None:
        """Stop it, surely."""
        ...


class EngineFactory(Protocol):
    """Makes an engine that is not started yet. ``log``: where everything goes that its libraries print; ``on_death``:
    called (in the event loop) if it ends without being asked to."""

    def __call__(self, *, log: Path, on_death: Callable[[], None] | None = None) -> Engine: ...
