"""Text that stays text: the base of everything that shows what a customer, a model or a file said."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.widgets import Button, Static

from store.text import clean


class Plain(Static):
    """A Static that never reads markup: ``[ORDER-1]`` is shown, ``[/b]`` does no harm, an escape sequence is gone."""

    def __init__(self, text: str = "", **kwargs: Any) -> None:
        super().__init__(Content(clean(text)), markup=False, **kwargs)

    def show(self, text: str) -> None:
        """Show another text."""
        self.update(Content(clean(text)))


class PlainButton(Button):
    """A button whose label is no markup."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(Content(clean(label)), **kwargs)
