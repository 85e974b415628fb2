"""The leash: how a process that deskloop started notices that whoever started it is gone, however that went.

Whoever starts children holds the write end of a pipe that is never written to, and the children inherit the read end
(:mod:`bot.child` hands it on). The system closes the write end when its holder ends, also after a SIGKILL. A thread
of each child waits for that and then ends the child and its process group, also while native code computes. A child's
own children are on a leash of its own: so the end goes down the whole tree, link by link, within moments.

Linux is asked to do the same by itself. That also ends a process that is stopped, or whose native code lets no other
thread of the interpreter go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

VARIABLE = "DESKLOOP_LEASH"  # in a child's environment: the descriptor of its leash
GONE = 1  # exit code of a process whose leash was cut, where it is not killed with its group

_ends: tuple[int, int] | None = None  # of the pipe on which this process holds its children: read, write
_leash: int | None = None  # the one that this process is on
_farewell: tuple[Callable[[], object], float] | None = None


def hand() -> int:
    """For whoever starts a child: the descriptor that the child has to inherit, by this number."""
    global _ends
    if _ends is None:
        _ends = os.pipe()
    return _ends[0]


def _forked() -> None:
    """A copy of this process that was forked must not hold this process's children."""
    global _ends
    if _ends is not None:
        for end in _ends:
            os.close(end)
        _ends = None


os.register_at_fork(after_in_child=_forked)


def follow() -> None:
    """For a child, first of all: end when the parent does. Nothing happens in a process that is on no leash."""
    global _leash
    said = os.environ.pop(VARIABLE, "")  # what this process starts is not on its parent's leash but on its own
    if not said.isdigit():
        return
    try:
        os.set_inheritable(int(said), False)
        _leash = _own(int(said))
    except OSError:
        return  # inherited by way of a program that closes what it does not know
    threading.Thread(target=_wait, args=(_leash,), name="leash", daemon=True).start()


def farewell(act: Callable[[], object], seconds: float) -> None:
    """What this process does when its leash is cut: call *act*, in the leash's thread, and be gone by itself within
    *seconds*; then it is ended. Without this it is ended at once."""
    global _farewell
    _farewell = (act, seconds)
    if _leash is not None and sys.platform == "linux":
        fcntl.fcntl(_leash, fcntl.F_SETFL, fcntl.fcntl(_leash, fcntl.F_GETFL) & ~os.O_ASYNC)


def _own(inherited: int) -> int:
    """The leash as this process alone has it opened, and on Linux with a SIGKILL for its group if it is cut."""
    if sys.platform != "linux":
        return inherited
    with contextlib.suppress(OSError):  # without /proc, or where it can't be asked for, the thread is enough
        own = os.open(f"/proc/self/fd/{inherited}", os.O_RDONLY)  # siblings share what they inherited, and its owner
        fcntl.fcntl(own, fcntl.F_SETOWN, -os.getpid() if _leads() else os.getpid())
        fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(own, fcntl.F_SETFL, fcntl.fcntl(own, fcntl.F_GETFL) | os.O_ASYNC)
        os.close(inherited)
        if select.select([own], [], [], 0)[0]:  # cut before the system was asked
            end()
        return own
    return inherited


def _wait(leash: int) -> None:
    try:
        while os.read(leash, 1):
            pass
    except OSError:
        return
    if _farewell is not None:
        act, seconds = _farewell
        with contextlib.suppress(Exception):  # what it acts on may be over already
            act()
        threading.Event().wait(seconds)
    end()


def _leads() -> bool:
    return os.getpgid(0) == os.getpid()


def end() -> NoReturn:
    """End this process now, whatever it does, with what it started that knows of no leash."""
    if _leads():
        os.killpg(0, signal.SIGKILL)
    os._exit(GONE)
