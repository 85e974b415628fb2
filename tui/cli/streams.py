"""Standard input, output and error as a command finds them: closed, full, a pipe nobody reads, of any encoding.

Nothing of that is an operator's mistake, and none of it may end in a traceback."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType
from typing import TextIO

from tui.core.exit_codes import SIGNALLED

SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # told to end: by the system, or by a terminal that is closed


def prepare() -> None:
    """Before anything is opened or printed."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Else the first file that is opened, a desk's, would be what everything prints into.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Data is the same in every locale; a terminal is spoken to as it says it wants to be.
            stream.reconfigure(
                encoding=stream.encoding if stream.isatty() else "utf-8",
                errors="replace" if stream.isatty() else "backslashreplace",
            )
    sys.argv[:] = [_text(argument) for argument in sys.argv]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits at *stream*; not at a closed one."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def finish() -> bool:
    """Flush what was printed. False if it can't be written; then nothing more is tried at the interpreter's end,
    which would print a traceback."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError):
            whole = False
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
    return whole


class Ending:
    """A command that is told to end by a signal ends as by Ctrl-C, in order, and its exit code names the signal."""

    def __init__(self) -> None:
        self.number: int | None = None

    def watch(self) -> None:
        """From now on. Signals that whoever started the command ignores (``nohup``) stay ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, self._told)

    def _told(self, number: int, frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            signal.raise_signal(signal.SIGINT)

    def code(self, otherwise: int) -> int:
        """The exit code."""
        return otherwise if self.number is None else SIGNALLED + self.number


ending = Ending()
"""How this process was told to end, if it was."""


def _text(argument: str) -> str:
    """An argument whose bytes are no text in this locale, as the text that they are elsewhere."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(argument).decode()
        except UnicodeDecodeError:
            return argument  # a file's name may be anything; what becomes text is cleaned
    return argument
