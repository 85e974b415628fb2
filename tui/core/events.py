"""What the core tells whoever draws or prints: small, past-tense, frozen.

A reply's life is ``MessageKept`` (only for a new message), ``ReplyStarted``, any number of ``ReplyDelta``
and one
``ReplyFinished``. Everything else that can change behind an operator's back arrives as a ``DeskChange`` at
the listeners of :class:`tui.core.changes.Changes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.types import BaseFacts
from finetune.events import Recorded
from store.records import Turn
from store.settings import Settings
from store.words import Version

EngineName = Literal["absent", "starting", "ready", "busy", "restarting", "failed"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """Where the engine stands, with the sentence to show for it.

    ``absent``: no base is set up (or it is unloaded while a run needs the memory); ``busy``: it is
    answering or
    swapping; ``restarting``: it died and comes back by itself; ``failed``: it does not come back by itself.
    """

    name: EngineName
    sentence: str
    facts: BaseFacts | None = None


@dataclass(frozen=True, slots=True)
class MessageKept:
    """The customer's message is in the store; nothing was generated yet."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The reply has its row (state ``failed`` until it is finished, so that a crash needs no repair)."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """More text of the reply that streams, cleaned for a terminal."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The reply as it is kept. ``sentence`` says what went wrong or why it is short; None if nothing did."""

    turn: Turn
    sentence: str | None = None


ReplyEvent = MessageKept | ReplyStarted | ReplyDelta | ReplyFinished


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine's state changed."""

    state: EngineState


@dataclass(frozen=True, slots=True)
class VersionChanged:
    """The chat now answers with ``version`` ("base" or "vN"); the swap took ``seconds``."""

    version: Version
    seconds: float


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run (this app's, or another's on the same desk) wrote an event."""

    event: Recorded


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """Another process wrote to this desk: lists may be stale."""


@dataclass(frozen=True, slots=True)
class ReplyJudged:
    """The operator judged a reply, or took that back. ``sentence`` says so; ``queued``: in the review queue, which
    shows it by going on."""

    reply: int
    sentence: str
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the operator. ``trouble`` asks for more attention than a passing remark."""

    sentence: str
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The desk's settings are others than before, whoever changed them: this app, another one, ``deskloop.toml``."""

    before: Settings
    after: Settings


DeskChange = EngineChanged | VersionChanged | RunProgress | StoreChanged | ReplyJudged | SettingsChanged | Notice
