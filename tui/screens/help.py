"""What the keys do where the operator is."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from tui.keys import APP, key_name
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain

WORDS = (
    "The bot learns corrections at the next retraining. Each retraining makes a version; the base is the model before "
    "any. A new version answers only if it is not worse on questions it has never seen."
)


class HelpDialog(Dialog[None]):
    """The bindings of what has focus and of the screen around it, read from them so that they can't be wrong."""

    TITLE_TEXT = "Keys"

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._lines = key_lines(screen)

    def body(self) -> ComposeResult:
        """A line for each action, then what the words mean."""
        for keys, what in [*self._lines, ("Ctrl+P", "Every action by name")]:
            with Horizontal(classes="key-line"):
                yield Plain(keys, classes="key")
                yield Plain(what, classes="what")
        yield Plain(WORDS, classes="heading")


def key_lines(screen: Screen[Any]) -> list[tuple[str, str]]:
    """Keys and what they do, of everything that can be done on *screen* now."""
    keys: dict[str, list[str]] = {}
    what: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if binding.tooltip and binding.id and "." in binding.id and active.enabled:
            keys.setdefault(binding.action, []).append(key_name(key))
            what.setdefault(binding.action, binding.tooltip)
    order = [binding.action for _, binding in screen._bindings]
    everywhere = [binding.action for binding in APP]
    place = {action: number for number, action in enumerate([*order, *everywhere], 1)}
    actions = sorted(keys, key=lambda action: place.get(action, 0))  # those of what has focus come first
    return [(", ".join(keys[action]), what[action]) for action in actions]
