"""The name beside an operator's actions."""

from __future__ import annotations

import getpass
import os

from store.text import clean

OPERATOR_VARIABLE = "DESKLOOP_OPERATOR"  # several operators at one desk, each with a name of their own


def operator_name(text: str) -> str:
    """*text* as the name beside an operator's actions: one line of at most 60 characters."""
    return " ".join(clean(text).split())[:60].strip()


def system_user() -> str:
    """The name beside an operator's actions where nothing else names one: ``DESKLOOP_OPERATOR``, else the system's
    user."""
    try:
        return operator_name(os.environ.get(OPERATOR_VARIABLE, "")) or operator_name(getpass.getuser()) or "operator"
    except (KeyError, OSError):
        return "operator"
