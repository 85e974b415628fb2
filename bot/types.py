"""The plain words of the bot: what goes in and what comes out. Nothing here imports torch."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NewType

from store.errors import OperatorError
from store.words import Exchange, Version

Quantization = Literal["nf4", "bf16", "fp32"]
Finish = Literal["complete", "stopped", "length", "repeated"]
"""How a reply ended: by itself, by somebody who stopped it, at its limit, or where it began to repeat itself
(:mod:`bot.repeating`)."""


ErrorKind = Literal[
    "engine-died",  # its process ended, or was ended because it hung
    "out-of-memory",
    "base-missing",
    "base-changed",  # the files of the base, or the base under an adapter, are not those that were set up
    "adapter-damaged",
    "probe-failed",  # an adapter does not do what it did when it was published
    "not-ready",  # a version that nobody made ready, or that was forgotten
    "bad-request",
    "failed",
]
"""What went wrong, for the program."""


class EngineError(OperatorError):
    """Something the engine could not do. ``sentence`` is for the operator, ``kind`` for the program."""

    def __init__(self, kind: ErrorKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind: ErrorKind = kind


class Priority(IntEnum):
    """Who is answered first, where several wait. A batch gives way to whatever is more urgent, also in its middle."""

    CHAT = 0  # an operator looks at it
    CHANNEL = 1  # a customer waits
    GATE = 2  # checks and comparisons: many questions, nobody in a hurry
    IDLE = 3  # nobody waits for it


RequestId = NewType("RequestId", str)


def new_id() -> RequestId:
    """An id that no other request has, whoever makes it."""
    return RequestId(uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What every request for answers carries: the version it is for, how urgent it is, and the id that cancels it."""

    version: Version
    priority: Priority = Priority.CHAT
    id: RequestId = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is to answer. ``system``: the desk's persona and policy, "" for none."""

    system: str
    history: tuple[Exchange, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a reply is generated. Fields mean what they mean in transformers' ``GenerationConfig``.

    Raises :class:`ValueError`, naming the field, for values out of range.
    """

    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 256
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("temperature", 0.01, 5.0),
            ("top_p", 0.01, 1.0),
            ("repetition_penalty", 0.5, 3.0),
            ("max_new_tokens", 1, 4096),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} must be between {low} and {high}, not {value!r}")


# Served and judged greedily: the same question gets the same answer, and a gate can repeat what it saw.
FAITHFUL = Decoding()
# Livelier text, for those who want it.
NATURAL = Decoding(do_sample=True, temperature=0.7, top_p=0.9, repetition_penalty=1.2)
PRESETS: dict[str, Decoding] = {"faithful": FAITHFUL, "natural": NATURAL}


@dataclass(frozen=True, slots=True)
class BaseSpec:
    """Which base to load and how to hold it in memory; ``folder`` is absolute. ``digest``: what its files must be (see
    :func:`bot.bases.base.content_digest`), None where nobody knows yet."""

    folder: str
    quantization: Quantization = "nf4"
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class AdapterRef:
    """A published adapter: its version's name and its absolute folder."""

    version: Version
    folder: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One finished generation. ``reused_tokens``: how much of the prompt came out of the cache of an earlier turn;
    ``dropped_exchanges``: how many of the oldest exchanges did not fit into the model's context; ``certainty``: the
    mean natural logarithm of the probabilities of its tokens (0 is certain), ``least``: that of its least likely token.
    None where nobody measured them."""

    text: str
    new_tokens: int
    seconds: float
    first_token_seconds: float | None
    finish: Finish
    reused_tokens: int = 0
    dropped_exchanges: int = 0
    certainty: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of the answers of a batch before they are given, in the order of its prompts; None: nothing.

    ``limits``: the most tokens of each, where that is less than the decoding allows. ``drafts``: a text that each may
    well be (None: none is known). Drafts never change an answer, near ties of two tokens aside; with them it may be
    there sooner."""

    limits: tuple[int, ...] | None = None
    drafts: tuple[str | None, ...] | None = None

    def only(self, places: Sequence[int]) -> Expected:
        """What is known of the answers at *places*."""
        limits, drafts = self.limits, self.drafts
        return Expected(
            None if limits is None else tuple(limits[place] for place in places),
            None if drafts is None else tuple(drafts[place] for place in places),
        )


NOTHING = Expected()


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """What was loaded. ``context`` and ``vocabulary`` in tokens, ``memory_bytes`` of the whole process."""

    fingerprint: str
    quantization: str
    parameters: int
    model_type: str
    vocabulary: int
    context: int
    load_seconds: float
    memory_bytes: int
    threads: int
    device: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one adapter does to the logits of a fixed prompt, in the serving configuration.

    ``finite``: every adapter weight and every logit is a number; ``difference``: the largest absolute difference of
    a logit from the bare base's; ``values``: logits at fixed places of the vocabulary, to compare with later.
    """

    finite: bool
    difference: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """A version that is verified, loaded and probed. ``seconds``: what that took."""

    version: Version
    seconds: float
    probe: ProbeResult


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine is doing right now. ``ready``: the versions that requests may name, beside the bare base;
    ``facts``: of the base, None before one is loaded; ``clients``: how many share it."""

    ready: tuple[Version, ...]
    memory_bytes: int
    facts: BaseFacts | None = None
    clients: int = 1


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a back end can do. ``kinds``: of adapters it serves (their ``peft_type``); ``grids``: quantizations of the
    base; ``parallel``: whether requests are answered side by side, and not one after the other; ``likelihoods``:
    whether it can say how likely a version finds a text."""

    back_end: str
    kinds: tuple[str, ...]
    grids: tuple[Quantization, ...]
    parallel: bool
    likelihoods: bool
