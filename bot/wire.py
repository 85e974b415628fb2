"""What an engine and its client say to each other: one JSON object a line, every kind of message a type of its own.

A request carries an id, and every event of its answer repeats it. The last event is :class:`Done` or
:class:`Failed`."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.types import (
    NOTHING,
    AdapterRef,
    Answer,
    BaseSpec,
    Decoding,
    ErrorKind,
    Expected,
    Priority,
    Prompt,
    RequestId,
)
from store.words import Version

LINE_LIMIT = 2**26  # bytes in one line: the longest prompt or answer, generously
Made = TypeVar("Made")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """``id``: of the request that this is, or belongs to."""

    id: RequestId


# -- requests --------------------------------------------------------------------------------------
class Load(Message, tag="load", tag_field="op", frozen=True):
    """Answered by :class:`bot.types.BaseFacts`."""

    base: BaseSpec


class MakeReady(Message, tag="ready", tag_field="op", frozen=True):
    """Answered by :class:`bot.types.Readiness`."""

    adapter: AdapterRef


class Forget(Message, tag="forget", tag_field="op", frozen=True):
    """Answered by nothing but its end."""

    version: Version


class Stream(Message, tag="stream", tag_field="op", frozen=True):
    """Answered by :class:`Text` as it comes, and by the :class:`bot.types.Answer`."""

    version: Version
    priority: Priority
    prompt: Prompt
    decoding: Decoding
    conversation: str | None = None


class Batch(Message, tag="batch", tag_field="op", frozen=True):
    """Answered by one :class:`Answered` for each prompt, in any order."""

    version: Version
    priority: Priority
    prompts: tuple[Prompt, ...]
    decoding: Decoding
    expected: Expected = NOTHING


class Likelihoods(Message, tag="likelihoods", tag_field="op", frozen=True):
    """Answered by a number for each text."""

    version: Version
    priority: Priority
    texts: tuple[tuple[Prompt, str], ...]


class Lengths(Message, tag="lengths", tag_field="op", frozen=True):
    """Answered by a count for each text."""

    texts: tuple[str, ...]


class Probe(Message, tag="probe", tag_field="op", frozen=True):
    """Answered by :class:`bot.types.ProbeResult`."""

    folder: str


class Status(Message, tag="status", tag_field="op", frozen=True):
    """Answered by :class:`bot.types.EngineStatus`."""


class Cancel(Message, tag="cancel", tag_field="op", frozen=True):
    """Ends the request of this id, if it still is to be answered; has no answer of its own."""


class Beat(Message, tag="beat", tag_field="op", frozen=True):
    """Answered at once by :class:`Pulse`, whatever is being worked on (:mod:`bot.pulse`)."""


Request = Load | MakeReady | Forget | Stream | Batch | Likelihoods | Lengths | Probe | Status | Cancel | Beat


# -- events ----------------------------------------------------------------------------------------
class Text(Message, tag="text", tag_field="event", frozen=True):
    """More of an answer that streams."""

    text: str


class Answered(Message, tag="answered", tag_field="event", frozen=True):
    """The answer to one prompt of a batch."""

    index: int
    answer: Answer


class Progress(Message, tag="progress", tag_field="event", frozen=True):
    """So many answers of a batch are there, of so many, though they come later."""

    done: int
    wanted: int


class Done(Message, tag="done", tag_field="event", frozen=True):
    """The end of a request. ``result``: what the request is answered by; see each."""

    result: msgspec.Raw = msgspec.Raw(b"null")


class Failed(Message, tag="failed", tag_field="event", frozen=True):
    """The end of a request that could not be answered; see :class:`bot.types.EngineError`."""

    kind: ErrorKind
    sentence: str


class Pulse(Message, tag="pulse", tag_field="event", frozen=True):
    """The engine lives, and has had so many seconds of ``processor`` time. ``clients``: how many share it."""

    processor: float
    clients: int = 1


Event = Text | Answered | Progress | Done | Failed | Pulse

_encoder = msgspec.json.Encoder()
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: object) -> bytes:
    """*message* as a line; JSON has no line ends of its own inside."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """The request in *line*. Raises :class:`ValueError` if it is none."""
    return _requests.decode(line)


def decode_event(line: bytes) -> Event:
    """The event in *line*. Raises :class:`ValueError` if it is none."""
    return _events.decode(line)


def done(request: RequestId, result: object = None) -> Done:
    """The end of *request*, with what it is answered by."""
    return Done(id=request, result=msgspec.Raw(_encoder.encode(result)))


def result_of(event: Done, kind: type[Made]) -> Made:
    """What *event* brings, as *kind*. Raises :class:`ValueError` if it is something else."""
    return msgspec.json.decode(event.result, type=kind)
