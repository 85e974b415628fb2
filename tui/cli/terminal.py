"""Whether there is a terminal here that the app can be shown in."""

from __future__ import annotations

import os
import sys

from tui.cli.streams import is_terminal

DUMB = ("", "dumb", "unknown")  # kinds of terminal on which nothing can be placed


def refusal() -> str | None:
    """Why the app can't be shown here, as a sentence that says what to do; None if it can."""
    otherwise = "Without one, use a command: `deskloop --help`."
    if not is_terminal(sys.stdout):
        return f"The app needs a terminal, and its output goes elsewhere. {otherwise}"
    if not is_terminal(sys.stdin):
        return f"The app needs a terminal, and its input comes from elsewhere. {otherwise}"
    if (kind := os.environ.get("TERM", "")).strip() in DUMB:
        said = f"TERM is {kind!r}" if kind else "TERM is not set"
        return (
            f"The app needs a terminal that can position text, and {said}. Set TERM to the kind of terminal, such "
            "as xterm-256color, or use a command: `deskloop --help`."
        )
    return None
