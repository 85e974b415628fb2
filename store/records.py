"""What the store hands out: plain frozen records. Times are ISO-8601 in UTC with milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from store.words import (
    Exchange,
    FailureKind,
    JudgedKind,
    Method,
    OutcomeName,
    PhaseName,
    PromotionKind,
    ReplyState,
    Role,
    RunState,
    RunWish,
    Source,
    Split,
    Verdict,
    Version,
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One customer's dialogue. ``source``: "chat", or "import:FILE"; ``customer``: whose it is, by a name or number."""

    id: int
    title: str
    created_at: str
    created_by: str
    archived_at: str | None
    source: str
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """How a bot turn came to be, and what the operators think of it. ``id`` is its turn's id.

    ``state`` is ``failed`` with ``finished_at`` None while the reply is being written: a crash needs no repair.
    ``rejected``: somebody said that it is wrong, and nobody what is right. ``from_correction``: the pair of the
    correction whose words it is; no model made it then. ``skipped``: somebody passed over it in the review.
    ``certainty``: the mean natural logarithm of the probabilities of its tokens (0 is certain). ``chance``: that it
    would be left as it stands, 0 to 1, and ``answer_from``: the chance from which replies were given then. All None if
    nobody measured them. ``handed_over``: the customer was told that people take over, and ``draft`` is what the bot
    would have said.
    """

    id: int
    version: Version
    decoding: dict[str, Any]
    state: ReplyState
    finished_at: str | None
    new_tokens: int | None
    seconds: float | None
    first_token_seconds: float | None
    correction: str | None
    approved: bool
    skipped: bool = False
    certainty: float | None = None
    rejected: bool = False
    from_correction: int | None = None
    chance: float | None = None
    answer_from: float | None = None
    handed_over: bool = False
    draft: str | None = None

    @property
    def unsure(self) -> bool:
        """Whether its chance was too small for it to be given to a customer."""
        return self.chance is not None and self.answer_from is not None and self.chance < self.answer_from

    @property
    def judged(self) -> bool:
        """Whether an operator's judgement of it stands; passing over it is none."""
        return self.approved or self.rejected or self.correction is not None


@dataclass(frozen=True, slots=True)
class Turn:
    """A customer's message or a bot reply; ``in_reply_to`` is the message a bot turn answers."""

    id: int
    conversation_id: int
    role: Role
    text: str
    created_at: str
    created_by: str
    in_reply_to: int | None
    reply: Reply | None

    @property
    def proposed(self) -> str:
        """What the bot made: its draft where people took over, else what was said. This is what operators judge."""
        draft = None if self.reply is None else self.reply.draft
        return self.text if draft is None else draft


@dataclass(frozen=True, slots=True)
class Pair:
    """One training example. Live means neither excluded nor superseded."""

    id: int
    instruction: str
    history: tuple[Exchange, ...]
    output: str
    lang: str
    category: str | None
    source: Source
    source_ref: str | None
    reply_id: int | None
    split: Split
    pinned: bool
    excluded_at: str | None
    superseded_by: int | None
    created_at: str
    created_by: str

    @property
    def live(self) -> bool:
        """Whether it trains, or is a test."""
        return self.excluded_at is None and self.superseded_by is None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pairs of a run, fixed when it began: those it trains on, each with its weight; those its version is judged
    by; and those set aside to watch it by while it trains. ``mistakes``: the wrong replies it learns from."""

    train: list[tuple[Pair, int]]
    heldout: list[Pair]
    validation: list[Pair]
    mistakes: frozenset[int] = frozenset()


# Failures that come again however often a run is resumed, since its recipe and its data are fixed: the loss that became
# no number, nothing left to learn, no GPU, no such layer, a recipe that can't be read, an adapter that does not load.
FINAL_FAILURES: frozenset[FailureKind] = frozenset(
    {"diverged", "nothing-to-learn", "needs-gpu", "no-such-layer", "recipe-unreadable", "probe-failed"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """One retraining, from data snapshot to verdict. ``failure``: {"kind", "sentence", "log"}."""

    id: int
    state: RunState
    phase: PhaseName | Literal[""]  # empty when it is over
    recipe: dict[str, Any]
    parent: Version
    base_fingerprint: str | None
    data_hash: str | None
    candidate: Version | None
    verdict: Verdict | None
    report: dict[str, Any] | None
    failure: dict[str, Any] | None
    created_at: str
    created_by: str
    started_at: str | None
    finished_at: str | None
    pid: int | None

    @property
    def resumable(self) -> bool:
        """Whether it can go on from where it stopped: the one answer, for screens, commands and sentences alike."""
        if self.state == "failed":
            return (self.failure or {}).get("kind") not in FINAL_FAILURES
        return self.state == "interrupted"

    @property
    def discardable(self) -> bool:
        """Whether it can be given up, which frees its files."""
        return self.state in ("interrupted", "failed")


@dataclass(frozen=True, slots=True)
class Wish:
    """What ``who`` wants of a live run: ``cancel`` gives it up, ``interrupt`` stops it with a checkpoint."""

    wish: RunWish
    who: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something a run told; ``kind`` says how to read ``body``."""

    id: int
    run_id: int
    at: str
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What the gate compared for one pair: the active version's answer, the candidate's, and the target."""

    pair_id: int
    kind: JudgedKind
    before: str
    after: str
    target: str
    outcome: OutcomeName | None


@dataclass(frozen=True, slots=True)
class AdapterVersion:
    """A published adapter; ``folder`` is relative to the home's adapters folder."""

    name: Version
    number: int
    folder: str
    manifest_sha256: str
    base_fingerprint: str
    method: Method
    recipe: dict[str, Any]
    run_id: int | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Promotion:
    """The row that made a version active."""

    id: int
    version: Version
    kind: PromotionKind
    reason: str | None
    at: str
    who: str
    run_id: int | None
