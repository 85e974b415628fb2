"""A line that rewrites itself on a terminal, and stays silent or goes line by line elsewhere."""

from __future__ import annotations

import sys

from tui.cli.context import Cli


class Line:
    """Progress on stderr. On a terminal one line is rewritten; elsewhere nothing is printed but the last word."""

    def __init__(self, cli: Cli) -> None:
        self._cli, self._shown = cli, ""
        self._live = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replace the line by *text*."""
        if self._live:
            self._cli.say(text.ljust(len(self._shown)), nl=False)
            sys.stderr.write("\r")
            sys.stderr.flush()
        self._shown = text

    def end(self) -> None:
        """Leave the last text standing."""
        if self._shown:
            self._cli.say(self._shown)
        self._shown = ""
