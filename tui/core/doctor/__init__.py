"""``deskloop doctor``: look at everything a desk stands on, and say what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from store.desk import Desk
from store.home import Home
from tui.core.doctor.base import base_check
from tui.core.doctor.check import Check
from tui.core.doctor.contents import (
    adapters,
    erased,
    home_check,
    logs,
    lying,
    runs_check,
    settings_check,
    store_check,
    training,
)
from tui.core.doctor.engine import engine
from tui.core.doctor.machine import disk, machine, memory, packages
from tui.core.errors import DeskError

__all__ = ["Check", "examine", "examine_unreadable"]


def examine(desk: Desk) -> Iterator[Check]:
    """Every check, each on its own: one that breaks is reported as wrong and the others still run."""
    checks: dict[str, Callable[[Desk], Check]] = {
        "machine": machine,
        "packages": packages,
        "disk": disk,
        "home": home_check,
        "store": store_check,
        "settings": settings_check,
        "base": base_check,
        "memory": memory,
        "engine": engine,
        "adapters": adapters,
        "runs": runs_check,
        "erased": erased,
        "training": training,
        "logs": logs,
    }
    for name, check in checks.items():
        try:
            yield check(desk)
        except Exception as error:
            yield Check(name, False, f"This could not be checked: {error}", "Fix that, then run this again.")


def examine_unreadable(home: Home, error: Exception) -> Iterator[Check]:
    """What can be looked at where not even the database opens: why not, and what is safe beside it."""
    yield machine()
    yield packages()
    with suppress(OSError):
        yield disk(home)
    sentence = error.sentence if isinstance(error, DeskError) else f"{home.database} can't be opened: {error}."
    yield Check(
        "store", False, sentence, f"First copy the whole of {home.root} somewhere else; then do what the sentence says."
    )
    yield lying(home)
