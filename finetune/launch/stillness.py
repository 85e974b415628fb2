"""Whether a training process stands still: stopped from outside, or waiting for something that never comes.

Nothing is killed for it, since a process that somebody stopped may be let go on. A long step is no stillness: it takes
processor time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psutil

EVERY = 10.0  # seconds between two looks
LOOKS = 12  # so many in a row without processor time are stillness: two minutes
SHARE = 0.01  # of a processor, below which nothing is computed

STILL = (
    "The training process has been standing still for {minutes:.0f} minutes. Nothing is lost. If it stays so, stop the "
    "retraining and resume it: it continues from its last checkpoint."
)
MOVING = "The training process is working again."


async def report_stillness(
    pid: int, report: Callable[[str], None], *, every: float = EVERY, looks: int = LOOKS
) -> None:
    """Look at the process *pid* every *every* seconds until it is gone; *report* gets a sentence once it has taken no
    processor time for *looks* looks, and another one when it does again."""
    still, before = 0, -1.0
    while (now := _processor_seconds(pid)) is not None:
        moved = now - before > SHARE * every
        if moved and still >= looks:
            report(MOVING)
        still, before = (0, now) if moved else (still + 1, before)
        if still == looks:
            report(STILL.format(minutes=every * looks / 60))
        await asyncio.sleep(every)


def _processor_seconds(pid: int) -> float | None:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(used.user + used.system)
