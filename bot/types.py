"""The plain words of the bot: what goes in and what comes out. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from store.errors import OperatorError
from store.words import Version

Exchange = tuple[str, str]  # what the customer said, what the bot answered
Quantization = Literal["nf4", "bf16", "fp32"]
Finish = Literal["complete", "stopped", "length"]


class EngineError(OperatorError):
    """Something the engine could not do. ``sentence`` is for the operator, ``kind`` for the program:

    ``engine-died``, ``out-of-memory``, ``base-missing``, ``base-changed``, ``adapter-damaged``, ``probe-failed``,
    ``bad-request``, ``failed``.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


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
    mean natural logarithm of the probabilities of its tokens (0 is certain), None where nobody measured it."""

    text: str
    new_tokens: int
    seconds: float
    first_token_seconds: float | None
    finish: Finish
    reused_tokens: int = 0
    dropped_exchanges: int = 0
    certainty: float | None = None


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
class Activation:
    """A swap: ``seconds`` is how long the chat had to wait for it."""

    version: str
    seconds: float
    probe: ProbeResult | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine is doing right now."""

    active: str
    loaded: tuple[str, ...]
    memory_bytes: int
    facts: BaseFacts | None = field(default=None)


def as_tuple(history: Any) -> tuple[Exchange, ...]:
    """A history read from JSON, as the tuple of exchanges it stands for."""
    return tuple((str(customer), str(bot)) for customer, bot in history)
