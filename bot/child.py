"""How deskloop starts its own modules as child processes, and how they talk to who started them."""

from __future__ import annotations

import sys

TROUBLE = "! "  # what a child prints before the sentence that says why it gave up


def say(sentence: str) -> None:
    """Tell whoever started this process, at once."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def module_command(module: str) -> list[str]:
    """The command that runs *module* in this interpreter.

    ``-P`` keeps the folder in which somebody typed ``deskloop`` out of the child's imports: one with a ``bot`` or
    ``store`` of its own would otherwise be taken for ours. So deskloop has to be installed (``make install`` does)."""
    return [sys.executable, "-P", "-m", module]
