"""What a field of a form is for."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.widgets.text import seen


class About(Static):
    """The field's name, what to know about its value, and what it does; the name stands out."""

    def __init__(self, name: str, note: str, what: str, *, id: str) -> None:
        super().__init__("", markup=False, id=id, classes="about")
        self.show(name, note, what)

    def show(self, name: str, note: str, what: str) -> None:
        """Say this instead."""
        title = f"{name} [{note}]" if note else name
        self.update(Content.assemble((seen(title), "bold $foreground"), f" — {seen(what)}"))
