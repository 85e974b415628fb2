"""Whether an engine hangs, told by its pulse.

A thread of the engine that does nothing but read answers every beat at once, with the processor time that the process
has had. So a process that is stopped, or whose native code never lets go, is known by its silence; one that waits for
something that never comes, by a request in it that takes no processor time; and one that computes and computes is left
alone, since a long prompt on a slow machine is no hang, until somebody wants it to stop and it does not.

Time is counted in beats of this process and not by a clock: one that was stopped itself, or a machine that slept, has
missed nothing."""

from __future__ import annotations

from typing import Literal

BEAT = 2.0  # seconds
SILENT_BEATS = 5  # without a word after which an engine hangs
LOADING_FACTOR = 6  # as many beats more while libraries are imported and weights are read: neither has to let go
STOPPING_SILENT_BEATS = 2  # the same for one that was told to stop: somebody waits for it
STOPPING_BEATS = 10  # that one which was told to stop may go on computing
IDLE_BEATS = 30  # with a request in it and without taking processor time
IDLE_SHARE = 0.01  # of a processor, below which nothing is computed; answering beats takes a hundredth of it

Finding = Literal["well", "stuck", "hung"]


class Pulse:
    """Looked at once a beat. A *stuck* request is to be cancelled; a *hung* process is to be replaced."""

    def __init__(self) -> None:
        self._silent = self._idle = self._stopping = 0
        self._processor: float | None = None
        self.answered = True
        """Whether the last beat was answered."""

    def heard(self, processor: float | None = None) -> None:
        """The engine said something; *processor*: the seconds of processor time it has had, in answer to a beat."""
        self._silent = 0
        if processor is None:
            self._idle = 0  # text, or the end of a request: it moves
            return
        self.answered = True
        taken = processor - (self._processor or 0.0)
        self._idle = self._idle + 1 if taken < IDLE_SHARE * BEAT else 0
        self._processor = processor

    def look(self, *, busy: bool, loading: bool, stopping: bool) -> Finding:
        """Called once a beat. *busy*: a request is in it; *loading*: one that reads weights; *stopping*: one that was
        told to stop."""
        factor = LOADING_FACTOR if loading else 1
        self._silent += 1
        self._stopping = self._stopping + 1 if stopping else 0
        if not busy:
            self._idle = 0
        silence = STOPPING_SILENT_BEATS if stopping else SILENT_BEATS
        if self._silent > silence * factor or self._stopping > STOPPING_BEATS * factor:
            return "hung"
        return "stuck" if self._idle >= IDLE_BEATS * factor else "well"
