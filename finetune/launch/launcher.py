"""What a place that trains offers to a run. Nothing above may know which place it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from finetune.events import Event, Trained
from finetune.files import JobFiles

Emit = Callable[[Event], None]


class Training(Protocol):
    """A training that was started."""

    async def follow(self, emit: Emit) -> Trained:
        """Hand every event but the last to *emit*, and return that: what the training found out about itself.

        Raises :class:`finetune.failures.RunFailure` if it failed or somebody else ended it, and whatever *emit*
        raises. Who stops following it has to end it, by :meth:`stop` or :meth:`cancel`."""
        ...

    async def stop(self) -> None:
        """Have it write a checkpoint and end, and wait for that for as long as it may take; then :meth:`cancel`."""
        ...

    async def cancel(self) -> None:
        """End it at once: what it did since its last checkpoint is lost. Nothing happens if it is over."""
        ...


class Launcher(Protocol):
    """A place that trains."""

    async def start(self, job: JobFiles, base: Path) -> Training:
        """Start *job* on the base that lies in the folder *base*, or go on with it from its last checkpoint."""
        ...
