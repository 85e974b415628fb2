"""What the keys do where the operator is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from tui.screens.dialog import Dialog
from tui.widgets.text import Plain


class HelpDialog(Dialog[None]):
    """The bindings of the screen below, read from the screen itself so that they can't be wrong."""

    TITLE_TEXT = "Keys"

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        seen: dict[str, Binding] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.tooltip and active.enabled:
                seen.setdefault(binding.action, binding)
        self._lines = [(_keys(screen, binding), binding.tooltip) for binding in seen.values()]

    def body(self) -> ComposeResult:
        """A line for each key, then what the words mean."""
        for keys, what in self._lines:
            yield Plain(f"{keys:<12} {what}", classes="fact")
        yield Plain("Ctrl+P       Every action by name", classes="fact")
        yield Plain(
            "A correction teaches at the next retraining. A version is what a retraining made; the base is the model "
            "before any. A new version answers only if it is not worse on questions it never saw.",
            classes="heading",
        )


def _keys(screen: Screen[object], binding: Binding) -> str:
    return screen.app.get_key_display(binding)
