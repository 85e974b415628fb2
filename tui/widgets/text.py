"""Text that stays text: the base of everything that shows what a customer, a model or a file said."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.widgets import Button, Static


class Plain(Static):
    """A Static that never reads markup: ``[ORDER-1]`` is shown, ``[/b]`` does no harm."""

    def __init__(self, text: str = "", **kwargs: Any) -> None:
        super().__init__(Content(text), markup=False, **kwargs)

    def show(self, text: str) -> None:
        """Show another text."""
        self.update(Content(text))


class PlainButton(Button):
    """A button whose label is no markup."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(Content(label), **kwargs)
