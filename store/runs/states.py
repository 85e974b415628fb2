"""The states of a run, and where it may go from each of them."""

from __future__ import annotations

from store.errors import DeskError, Refused
from store.words import RunState

LIVE: tuple[RunState, ...] = ("queued", "training", "evaluating")
OVER: tuple[RunState, ...] = ("promoted", "held", "rejected", "failed", "cancelled")
# The one place that knows.
TRANSITIONS: dict[RunState, tuple[RunState, ...]] = {
    "queued": ("training", "failed", "cancelled", "interrupted"),
    "training": ("evaluating", "failed", "cancelled", "interrupted"),
    "evaluating": ("promoted", "held", "rejected", "failed", "cancelled", "interrupted"),
    "interrupted": ("queued", "cancelled"),  # resumed, discarded
    "failed": ("queued", "cancelled"),  # likewise, once what stood in the way is mended (Run.resumable)
}


class RunAlreadyLive(DeskError):
    """Another run is live on this desk; there is at most one."""

    def __init__(self) -> None:
        super().__init__(
            "A retraining is already in progress on this desk. Wait until it is finished, or cancel it first."
        )


class WrongTransition(Refused):
    """A run can't go from the state it is in to the one asked for."""
