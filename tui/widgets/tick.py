"""A box to tick that tells by its sign, not by its colour, whether it is ticked."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Checkbox

from store.text import clean


class Tick(Checkbox):
    """textual's check box shows the same X in another colour while it is off; this one shows none."""

    def __init__(self, label: str, *, id: str) -> None:
        super().__init__(Content(clean(label)), id=id, compact=True)

    @property
    def _button(self) -> Content:
        self.BUTTON_INNER = "X" if self.value else " "
        return super()._button
