"""What can go wrong in a run: each kind with its own sentence. In all of them the old version keeps answering."""

from __future__ import annotations

import errno
from typing import get_args

from store.errors import DeskError, OperatorError
from store.words import FailureKind

SAFE = "Nothing was lost, and the current version goes on answering."

SENTENCES: dict[FailureKind, str] = {
    "out-of-memory": f"The machine ran out of memory while training. {SAFE} Close other programs and resume the run, "
    "or retrain with a smaller batch_size or max_length.",
    "disk-full": f"The disk is full. {SAFE} Free some space and resume the run.",
    "desk-busy": f"Another program locked the desk's database for too long. {SAFE} Close it and resume the run.",
    "desk-read-only": f"The desk's database can no longer be written. {SAFE} Make its folder and disk writable, then "
    "resume the run.",
    "desk-damaged": f"The desk's database can't be read or written. {SAFE} Run `deskloop doctor`, then resume the run.",
    "diverged": f"Training diverged: the loss became infinite or not a number. {SAFE} Retrain with a smaller "
    "learning_rate.",
    "nothing-to-learn": f"No pair has anything left to learn within max_length. {SAFE} Raise max_length, or "
    "shorten the pairs.",
    "needs-gpu": f"The recipe asks for fp16 or an 8-bit optimizer, and this machine has no GPU. {SAFE} Retrain with "
    "precision = auto and optimizer = adamw.",
    "no-such-layer": f"The recipe names layers that this base does not have. {SAFE} Retrain with target_modules = "
    "all-linear, qv or qkvo, which every base has; the names it has are in the run's log.",
    "too-few-pairs": f"There are too few pairs to train on. {SAFE} Correct or approve more replies or import "
    "some, then resume the run.",
    "no-mistakes": f"The recipe's objective kto learns from wrong replies, and this desk has none. {SAFE} Correct a "
    "reply and resume the run, or retrain with objective = sft.",
    "recipe-unreadable": f"The run's recipe can no longer be read, so the run can't continue. {SAFE} Discard it and "
    "start "
    "another.",
    "base-changed": f"The base model is not the one this run started with. {SAFE} Change it back and resume the "
    "run, or "
    "discard it and start a new one.",
    "base-missing": f"The base model is missing. {SAFE} Run `deskloop setup`, then resume the run.",
    "trainer-died": f"The training process ended unexpectedly. {SAFE} Resume the run, or look at its log.",
    "engine-died": f"The engine that judges the new version ended unexpectedly. {SAFE} Resume the run.",
    "probe-failed": f"The new version did not load correctly. {SAFE} Retrain, or look at the run's log.",
    "failed": f"The run failed. {SAFE} Look at its log, then resume it or start a new one.",
}


class RunFailure(OperatorError):
    """A run can't go on. ``detail`` goes into logs and quotes nobody."""

    quotes_nobody = True

    def __init__(self, kind: str, detail: str = "") -> None:
        known = failure_kind(kind)
        self.kind = known
        super().__init__(SENTENCES[known])
        self.detail = detail or kind

    def __str__(self) -> str:
        return self.detail


def failure_kind(word: str) -> FailureKind:
    """The kind that *word* stands for: what another process said, or another part of deskloop."""
    return next((kind for kind in get_args(FailureKind) if kind == word), "failed")


def kind_of(error: BaseException) -> FailureKind:
    """The kind of any error that can end a run."""
    if isinstance(error, RunFailure | DeskError) and error.kind in SENTENCES:
        return failure_kind(error.kind)
    text = f"{type(error).__name__}: {error}".lower()
    if isinstance(error, MemoryError) or any(
        sign in text for sign in ("out of memory", "outofmemory", "can't allocate memory", "cannot allocate memory")
    ):
        return "out-of-memory"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "no space left" in text or "database or disk is full" in text:
        return "disk-full"
    return "failed"
