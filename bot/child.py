"""How deskloop starts its own modules as child processes, and how they talk to who started them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TypedDict

from bot import leash

TROUBLE = "! "  # what a child prints before the sentence that says why it gave up


class ChildOptions(TypedDict):
    """What every child is started with, whichever function starts it."""

    env: dict[str, str]
    pass_fds: Sequence[int]
    process_group: int


def say(sentence: str) -> None:
    """Tell whoever started this process, at once."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def module_command(module: str) -> list[str]:
    """The command that runs *module* in this interpreter, on a leash if :func:`child_options` gave it one.

    ``-P`` keeps the folder in which somebody typed ``deskloop`` out of the child's imports: one with a ``bot`` or
    ``store`` of its own would otherwise be taken for ours. So deskloop has to be installed (``make install`` does)."""
    return [sys.executable, "-P", "-m", "bot", module]


def child_environment() -> dict[str, str]:
    """The environment of a child. What it says is UTF-8, whatever the locale: it is read as that here."""
    return os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"}


def child_options(*, leashed: bool = True, pass_fds: Sequence[int] = ()) -> ChildOptions:
    """How a child is started: in a process group of its own, since a Ctrl-C in the terminal is for the app, which
    decides what it means; not in a session, beside which Linux would not heed niceness.

    *leashed*: it ends when this process ends, however that goes (:mod:`bot.leash`)."""
    environment = child_environment()
    if not leashed:
        return ChildOptions(env=environment, pass_fds=tuple(pass_fds), process_group=0)
    descriptor = leash.hand()
    environment[leash.VARIABLE] = str(descriptor)
    return ChildOptions(env=environment, pass_fds=(*pass_fds, descriptor), process_group=0)
