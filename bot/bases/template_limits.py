"""Limits on what a base's own template, config or tokenizer may cost: it came from outside, and may loop or eat memory.

A check of a base is a process of its own that gets so much time and memory and no more (:func:`limit_process`). Where a
template is rendered later, in an engine or a run, :func:`guarded` gives that one call a few seconds and some memory; it
costs microseconds.
"""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from bot.types import EngineError

CHECK_SECONDS = 120  # of processor time, for all that is looked at in a base; the starter takes 5
CHECK_BYTES = 3 * 2**30  # of address space beyond what the libraries take
RENDER_SECONDS = 10.0  # a long history takes a hundredth of one
RENDER_BYTES = 2**30
SENTENCE = (
    "The chat template of this base takes more time or memory than any valid one. It is not used: choose another base."
)


class _TooLong(BaseException):
    """Raised by the clock in the midst of a template; no handler in a library takes it for an error of its own."""


def address_space() -> int | None:
    """Bytes of address space this process has taken; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return None


def limit_process(seconds: int = CHECK_SECONDS, more_bytes: int = CHECK_BYTES) -> None:
    """From now on this process is ended by the system after *seconds* more of processor time, and gets
    :class:`MemoryError` beyond *more_bytes* above what it has taken."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)
    if (taken := address_space()) is not None:
        _lower(resource.RLIMIT_AS, taken + more_bytes)


def _lower(which: int, limit: int) -> None:
    hard = resource.getrlimit(which)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(which, (limit, hard))


@contextmanager
def guarded(seconds: float = RENDER_SECONDS, more_bytes: int = RENDER_BYTES) -> Iterator[None]:
    """Inside, the main thread has *seconds*, and the process *more_bytes* beyond what it has taken. Raises
    :class:`EngineError` (``base-missing``) where that does not suffice.

    Other threads have no clock: signals reach the main thread alone. A guard within a guard does nothing."""
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    space = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        if (taken := address_space()) is not None:
            _lower(resource.RLIMIT_AS, taken + more_bytes)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except (_TooLong, MemoryError, OverflowError, RecursionError) as error:
        raise EngineError("base-missing", SENTENCE) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, space)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: Any) -> None:
    raise _TooLong


def guard_template(tokenizer: Any) -> Any:
    """*tokenizer*, whose chat template is rendered under :func:`guarded` from now on."""
    own = tokenizer.apply_chat_template

    @wraps(own)
    def apply(*args: Any, **kwargs: Any) -> Any:
        with guarded():
            return own(*args, **kwargs)

    tokenizer.apply_chat_template = apply
    return tokenizer
