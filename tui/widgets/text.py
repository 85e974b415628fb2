"""Text that stays text: the base of everything that shows what a customer, a model or a file said."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.widgets import Button, Static

from store.hidden import reveal
from store.text import clean

LONGEST_SHOWN = 20_000  # characters of one text on the screen


class Plain(Static):
    """A Static that never reads markup: ``[ORDER-1]`` is shown, ``[/b]`` does no harm, an escape sequence is gone, and
    of a very long text the beginning is drawn."""

    def __init__(self, text: str = "", **kwargs: Any) -> None:
        super().__init__(Content(seen(text)), markup=False, **kwargs)

    def show(self, text: str) -> None:
        """Show another text."""
        self.update(Content(seen(text)))


class PlainButton(Button):
    """A button whose label is no markup."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(Content(clean(label)), **kwargs)


def seen(text: str) -> str:
    """*text* as it is drawn: :func:`shown`, and nothing in it steers a terminal."""
    return clean(shown(text))


def shown(text: str) -> str:
    """*text* as far as it is drawn, with a mark where it holds what nobody can see: wrapping a line of a million
    characters takes many seconds. What is kept, learned and exported is all of it."""
    if len(text) <= LONGEST_SHOWN:
        return reveal(text)
    return f"{reveal(text[:LONGEST_SHOWN])}\n\n… ({len(text) - LONGEST_SHOWN:,} more characters; export to read them)"
