"""Threads that wait for each other without burning a processor that somebody else needs.

Where two threads compute together, the one that is done first waits for the other, and GNU's OpenMP, which torch uses
on Linux, waits by spinning. That is the fastest way while every thread has a processor of its own. With one other
program busy it is ruinous: the spinning thread holds the very processor that the other one waits for, and a retraining
falls to a twentieth of its speed. Fixed counts of spins give up speed on a quiet machine or on a busy one.

So this watches and chooses. Linux tells for every thread how long it was ready to run and got no processor. While that
is much, spinning is cut short, by a rule of OpenMP itself: with more threads in its pools than there are processors it
spins a hundred times instead of three hundred thousand. A few threads with pools of their own, asleep, are held for
that, and let go when the machine is calm again. What is computed stays the same to the bit: teams keep their size.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

EVERY = 0.5  # seconds between two looks
# Seconds of waiting in a second, over all threads. Measured on two cores: calm up to .03; beside one busy core 1.0 with
# spinning and .5 without it.
CROWDED = 0.25
CALM = 0.1
CALM_LOOKS = 10  # so many calm looks in a row end it; a program that comes and goes does not flip it every second
STARVED_SECONDS = 5.0  # shorter than that is not worth telling
CULPRIT_SHARE = 0.2  # of a core: less than that starves nobody

_TASKS = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Culprit:
    """Who takes the processor: the program's name (plain characters only), its process, and how much of one core."""

    name: str
    pid: int
    share: float


class Brake(Protocol):
    """What keeps OpenMP from spinning."""

    def hold(self) -> None:
        """From now on."""

    def release(self) -> None:
        """No longer."""


class SleepingPools:
    """Threads with OpenMP pools of their own, enough of them that OpenMP counts more threads than processors."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []

    def hold(self) -> None:
        """Make the pools; returns when they are there."""
        import torch

        size = torch.get_num_threads()
        if size < 2 or self._threads:
            return  # a single thread waits for nobody
        processors = len(os.sched_getaffinity(0))
        self._end = threading.Event()
        for _ in range(max(1, math.ceil((processors + 1 - size) / (size - 1)))):
            ready = threading.Event()
            thread = threading.Thread(target=self._sleep, args=(ready, self._end), name="pool", daemon=True)
            thread.start()
            self._threads.append(thread)
            ready.wait()

    @staticmethod
    def _sleep(ready: threading.Event, end: threading.Event) -> None:
        import torch

        torch.ones(1 << 20).add_(1)  # large enough for torch to share it out, which makes this thread's pool
        ready.set()
        end.wait()

    def release(self) -> None:
        """Let the pools go; returns when they are gone."""
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._threads = []


class WaitedTime:
    """How long this process's threads were ready to run and had no processor."""

    def __init__(self, tasks: Path = _TASKS) -> None:
        self._tasks = tasks
        self._before: dict[str, int] = {}
        self.since_last()

    def since_last(self) -> float:
        """Seconds, over all threads, since the last call; nan where the system does not tell."""
        now: dict[str, int] = {}
        try:
            for task in os.scandir(self._tasks):
                try:
                    now[task.name] = int(Path(task.path, "schedstat").read_bytes().split()[1])
                except (OSError, IndexError, ValueError):
                    continue  # a thread that has just ended
        except OSError:
            return math.nan
        waited = sum(max(0, value - self._before.get(name, 0)) for name, value in now.items())
        self._before = now
        return waited / 1e9 if now else math.nan


class Contention:
    """Looks every :data:`EVERY` seconds whether this process waits for a processor, and puts the brake on spinning.

    *on_starved* is called, from this object's thread, once each time that the wait lasts, with whoever takes the
    processor (None: nobody could be named); *on_calm* when a told one is over."""

    def __init__(
        self,
        on_starved: Callable[[Culprit | None], None] | None = None,
        on_calm: Callable[[], None] | None = None,
        *,
        brake: Brake | None = None,
        waited: Callable[[], float] | None = None,
        busiest: Callable[[dict[int, float], float], Culprit | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_starved, self._on_calm, self._clock = on_starved, on_calm, clock
        self._brake = brake or SleepingPools()
        self._waited = waited or WaitedTime().since_last
        self._busiest = busiest or busiest_since
        self._last = clock()
        self._begun: float | None = None
        self._used: dict[int, float] = {}
        self._calm_looks = 0
        self._told = False

    @property
    def crowded(self) -> bool:
        """Whether spinning is cut short now."""
        return self._begun is not None

    def start(self) -> None:
        """Look from now on, in a thread of its own, to the end of the process."""
        if not math.isnan(self._waited()):  # else this system does not tell, and has another OpenMP anyway
            threading.Thread(target=self._loop, name="contention", daemon=True).start()

    def _loop(self) -> None:
        while True:
            time.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """One look."""
        now = self._clock()
        share = self._waited() / max(1e-9, now - self._last)
        self._last = now
        if share >= CROWDED:
            self._calm_looks = 0
            self._crowd(now)
        elif share < CALM and self.crowded:
            self._calm_looks += 1
            if self._calm_looks >= CALM_LOOKS:
                self._relax()

    def _crowd(self, now: float) -> None:
        if self._begun is None:
            self._begun = now
            self._brake.hold()
            if self._on_starved is not None:
                self._used = processor_times()
        elif self._on_starved is not None and not self._told and now - self._begun >= STARVED_SECONDS:
            self._told = True
            self._on_starved(self._busiest(self._used, now - self._begun))

    def _relax(self) -> None:
        self._begun = None
        self._brake.release()
        if self._told and self._on_calm is not None:
            self._on_calm()
        self._told = False


def started(
    on_starved: Callable[[Culprit | None], None] | None = None, on_calm: Callable[[], None] | None = None
) -> Contention:
    """A :class:`Contention` that looks already, for a process that has loaded torch."""
    contention = Contention(on_starved, on_calm)
    contention.start()
    return contention


def processor_times() -> dict[int, float]:
    """Seconds of processor time that every process but this one has used, by process."""
    import psutil

    own = os.getpid()
    times = {}
    for process in psutil.process_iter():
        try:
            used = process.cpu_times()
        except psutil.Error:
            continue
        if process.pid != own:
            times[process.pid] = used.user + used.system
    return times


def busiest_since(before: dict[int, float], seconds: float) -> Culprit | None:
    """The process that used most since *before* (:func:`processor_times`, *seconds* ago), if that starves anybody."""
    import psutil

    used = {pid: time - before.get(pid, 0.0) for pid, time in processor_times().items()}
    pid = max(used, key=lambda pid: used[pid], default=0)
    if not pid or used[pid] / seconds < CULPRIT_SHARE:
        return None
    try:
        name = psutil.Process(pid).name()
    except psutil.Error:
        return None
    plain = "".join(char for char in name if char.isascii() and char.isprintable())
    return Culprit(plain or "a program", pid, used[pid] / seconds)
