"""Progress on stderr: a line that rewrites itself on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from tui.cli.context import Cli
from tui.cli.streams import is_terminal

NOW_AND_THEN = 15.0  # seconds between two lines where nobody can rewrite one


class Line:
    """One line of progress; :meth:`end` leaves its last text standing."""

    def __init__(self, cli: Cli) -> None:
        self._cli, self._text, self._width = cli, "", 0
        self._live = is_terminal(sys.stderr)
        self._said_at = time.monotonic()

    def write(self, text: str) -> None:
        """Replace the line by *text*."""
        self._text = text
        if self._live:
            self._cli.say(text.ljust(self._width), nl=False)
            with suppress(OSError):  # a terminal that has just been closed
                sys.stderr.write("\r")
                sys.stderr.flush()
            self._width = len(text)
        elif time.monotonic() - self._said_at >= NOW_AND_THEN:
            self.end()

    def end(self) -> None:
        """Leave the last text standing."""
        if self._text:
            self._cli.say(self._text.ljust(self._width))
        self._text, self._width, self._said_at = "", 0, time.monotonic()
