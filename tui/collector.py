"""Python's garbage collector, kept from under the operator's fingers.

A look for garbage among all the objects of the app takes 20 to 60 ms, felt as a stutter when it comes between two keys
(`python -m benchmarks scale` shows it). Young garbage is collected as ever, in a millisecond; the look at everything
waits until nobody types.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

QUIET = 1.0  # seconds since the last key or click after which nobody is taken to be typing
LOOK_EVERY = 2.0  # seconds between two looks at whether it is quiet
_NEVER = 1_000_000  # collections of young garbage until Python would look at everything by itself


class QuietCollector:
    """Collects what is old only in quiet moments, once :meth:`begin` was called; *clock* counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._touched = clock()
        self._begun = False

    def begin(self) -> None:
        """From now on, for this process: what is loaded by now stays, and the rest is looked through when quiet."""
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
        self._begun = True

    def touched(self) -> None:
        """A key was pressed or the mouse was used."""
        self._touched = self._clock()

    def look(self) -> bool:
        """Collect if it is quiet and there is anything new to look at; returns whether it did."""
        due = self._begun and self._clock() - self._touched >= QUIET and gc.get_count()[2] > 0
        if due:
            gc.collect()
        return due
