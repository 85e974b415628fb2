"""The requests that an engine's process has taken in: who is next, and who gives way."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field

from bot import wire
from bot.types import Priority

LARGEST = 24  # places of the first portion that is smaller than all, doubled


@dataclass(order=True, slots=True)
class Job:
    """A request that waits or is worked on: first by priority, then in the order of coming. ``answered``: the places of
    a batch whose answers were given; ``in_vain``: how often it gave way before any of a portion was."""

    priority: Priority
    number: int
    request: wire.Request = field(compare=False)
    stop: threading.Event = field(default_factory=threading.Event, compare=False)
    begun: bool = field(default=False, compare=False)
    answered: set[int] = field(default_factory=set, compare=False)
    in_vain: int = field(default=0, compare=False)

    @property
    def left(self) -> list[int]:
        """The places of a batch that still are to be answered; none of any other request."""
        places = range(len(self.request.prompts)) if isinstance(self.request, wire.Batch) else ()
        return [place for place in places if place not in self.answered]

    @property
    def portion(self) -> list[int]:
        """The places to answer next: all that are left, or fewer and fewer where more urgent requests come so often
        that nothing of a larger portion ever came to its end."""
        left = self.left
        return left if not self.in_vain else left[: max(1, LARGEST >> self.in_vain)]

    def pauses(self, answered: int) -> None:
        """Its turn is over, with so many more answers given, and it is to go on later."""
        self.in_vain = max(0, self.in_vain - 1) if answered else self.in_vain + 1


class Jobs:
    """What waits. A batch that is worked on gives way to whatever is more urgent: it ends within a token, and goes on
    with the prompts that are left when its turn comes again."""

    def __init__(self) -> None:
        self._waiting: queue.PriorityQueue[Job] = queue.PriorityQueue()

    def put(self, job: Job) -> None:
        """Let *job* wait."""
        self._waiting.put(job)

    def get(self) -> Job:
        """The next one, as soon as there is one."""
        return self._waiting.get()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._waiting.empty()

    def urgent(self, job: Job) -> bool:
        """Whether something that waits is more urgent than *job*."""
        with self._waiting.mutex:
            return bool(self._waiting.queue) and self._waiting.queue[0].priority < job.priority


@dataclass(frozen=True, slots=True)
class StopOrGiveWay:
    """Whether a batch is to end at its next token: it was cancelled, or something more urgent waits."""

    job: Job
    jobs: Jobs

    def is_set(self) -> bool:
        """As :meth:`threading.Event.is_set`."""
        return self.job.stop.is_set() or self.jobs.urgent(self.job)
