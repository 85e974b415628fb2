"""Screens that are left for the one below."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

Result = TypeVar("Result")


class ResultScreen(Screen[Result]):
    """A screen that can only be left while it is on top.

    Textual's own :meth:`dismiss` takes away whatever is on top. A key pressed twice in a hurry would so close the
    screen below as well, and one that opened something else meanwhile would close that. Beside ``ModalScreen`` it comes
    second among the bases: textual takes its own styles from the first."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave with *result*; nothing happens if this screen is not on top (any more)."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
