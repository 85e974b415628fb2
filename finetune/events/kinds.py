"""The events of a run, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from finetune.gate.measures import Recall
from finetune.gate.report import GateReport, Sides, Trouble
from store.words import PhaseName, RunState, Verdict, Version

WatchedKind = Literal["held-out", "validation"]  # pairs that are not learned from


@dataclass(frozen=True, slots=True)
class Phase:
    """Another part of the run began."""

    phase: PhaseName
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """A training step was taken, the ``step``th of ``steps``, as it looks now.

    ``epoch``: how often the data was gone through; ``loss``: nats a token; ``tokens_per_second``: since the second
    step. None: not known yet."""

    step: int = 0
    steps: int = 0
    epoch: float | None = None
    loss: float | None = None
    gradient_norm: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    peak_memory_bytes: int | None = None

    @property
    def share(self) -> float:
        """Of the training that is done, 0 to 1."""
        return self.step / max(1, self.steps)

    @property
    def place(self) -> str:
        """How far, and how long still: what fits beside a bar."""
        return f"step {self.step} of {self.steps}{self._left}"

    @property
    def machine(self) -> str:
        """How fast, and in how much memory; empty if that is not known."""
        speed = "" if self.tokens_per_second is None else f"{self.tokens_per_second:.0f} tokens/s"
        memory = "" if self.peak_memory_bytes is None else f"{self.peak_memory_bytes / 2**30:.1f} GiB"
        return ", ".join(filter(None, (speed, memory)))

    @property
    def sentence(self) -> str:
        """How far, how well, how long still."""
        loss = "" if self.loss is None else f", loss {self.loss:.2f}"
        return f"step {self.step} of {self.steps}{loss}{self._left}"

    @property
    def _left(self) -> str:
        return "" if self.seconds_left is None else f", {clock(self.seconds_left)} left"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The model was tried on ``examples`` pairs that are not learned from. ``bleu`` (0 to 100), where the recipe asks
    for it: of its answers to ``answers`` of them."""

    step: int
    steps: int
    epoch: float | None
    loss: float
    examples: int
    pairs: WatchedKind = "held-out"
    bleu: float | None = None
    answers: int | None = None

    @property
    def sentence(self) -> str:
        """The numbers."""
        examples = f"{self.examples} {self.pairs} example{'' if self.examples == 1 else 's'}"
        sentence = f"Loss {self.loss:.3f} on {examples} after epoch {self.epoch or 0.0:.3g}"
        if self.bleu is not None:
            sentence += f", BLEU {self.bleu:.1f}" + (f" of {self.answers} answers" if self.answers else "")
        return f"{sentence}."


@dataclass(frozen=True, slots=True)
class Taught:
    """After ``epochs`` epochs of a training that goes on until it is taught: of ``asked`` taught questions ``known``
    would be answered as taught, and so many of those that are new, where it goes on from a version."""

    step: int
    epochs: int
    asked: int
    known: int
    asked_new: int = 0
    known_new: int = 0

    @property
    def sentence(self) -> str:
        """The numbers."""
        passes = "1 pass" if self.epochs == 1 else f"{self.epochs} passes"
        new = f" ({self.known_new} of {self.asked_new} new ones)" if self.asked_new else ""
        return f"After {passes} it knows {self.known} of {self.asked} taught answers{new}."


@dataclass(frozen=True, slots=True)
class Note:
    """Something that an operator may want to know."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """The memory did not suffice: training goes on with the same steps in smaller parts."""

    sentence: str
    batch_size: int | None = None
    gradient_accumulation: int | None = None
    checkpointing: bool | None = None


@dataclass(frozen=True, slots=True)
class TroubleFound:
    """Something was wrong with the training, which did not fail."""

    trouble: Trouble

    @property
    def sentence(self) -> str:
        """What, and what to change."""
        return self.trouble.sentence


@dataclass(frozen=True, slots=True)
class Judged:
    """So many of the questions are answered by ``version``, to be compared."""

    done: int
    total: int
    version: Version

    @property
    def share(self) -> float:
        """Of the answers that are there, 0 to 1."""
        return self.done / max(1, self.total)

    @property
    def place(self) -> str:
        """How far: what fits beside a bar."""
        return f"{self.done} of {self.total} answers"

    @property
    def sentence(self) -> str:
        """How far the check is."""
        return f"Checking {self.version}: {self.place}"


@dataclass(frozen=True, slots=True)
class Recalled:
    """How ``version`` answers the questions that it was taught."""

    version: Version
    recall: Recall

    @property
    def sentence(self) -> str:
        """The numbers."""
        return f"{self.version} {self.recall.words}."


@dataclass(frozen=True, slots=True)
class Decided:
    """The gate's verdict on ``version``."""

    version: Version
    report: GateReport

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        return self.report.sentence


@dataclass(frozen=True, slots=True)
class Promoted:
    """The run made ``version`` the one that answers."""

    version: Version

    @property
    def sentence(self) -> str:
        """Who answers."""
        return f"{self.version} answers now."


@dataclass(frozen=True, slots=True)
class Failed:
    """The run can't go on. ``kind``: see :mod:`finetune.failures`; ``log``: the file with the details."""

    kind: str
    sentence: str
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The run is over, in ``state``; always its last event. See :mod:`finetune.endings` for what it came to."""

    state: RunState
    run: int = 0
    verdict: Verdict | None = None
    version: Version | None = None
    bleu: Sides | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The trainer's last word: training is complete, with these facts, which go onto the version's card.

    ``cuts``: pairs that lost old history, that lost the end of their answer, and that were left out; seconds are of
    wall time; shares go from 0 to 1. ``preferred``: how many corrections it finds likelier, token for token, than the
    replies they replaced, and of how many. None: not measured, or meaningless on this machine."""

    train_seconds: float = 0.0
    steps: int = 0
    examples: int = 0
    cuts: tuple[int, int, int] = (0, 0, 0)
    last_loss: float | None = None
    best_step: int | None = None
    stopped_early: bool = False
    trainable_parameters: int = 0
    trainable_share: float | None = None
    unpacked: bool | None = None
    peak_memory_bytes: int = 0
    looking_seconds: float = 0.0
    tokens_per_second: float | None = None
    ceiling_tokens_per_second: float | None = None
    padding_share: float | None = None
    cpu_share: float | None = None
    preferred: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class TrainerFailed:
    """The trainer's last word: it can't go on. ``detail`` is for logs and quotes nobody."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that this deskloop can't read: another one's, or damaged since."""

    kind: str
    body: dict[str, Any]


Event = (
    Phase | Step | Evaluated | Taught | Note | Fitted | TroubleFound | Judged | Recalled | Decided | Promoted | Failed
    | Done
    | Trained | TrainerFailed | Unknown
)  # fmt: skip


def sentence(event: Event) -> str:
    """What an operator is told of *event*; empty if nothing."""
    match event:
        case Done() | Trained() | TrainerFailed() | Unknown():
            return ""  # a run's end has words of its own: see finetune.endings
        case _:
            return event.sentence


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
