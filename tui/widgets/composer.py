"""Where the customer's message is written."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.keys import COMPOSER


class Composer(TextArea):
    """Grows with its text up to six lines; Enter sends."""

    BINDINGS: ClassVar[list[BindingType]] = list(COMPOSER)

    class Sent(Message):
        """The operator sent a message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            show_line_numbers=False,
            soft_wrap=True,
            tab_behavior="focus",
            placeholder="Write as the customer would. Enter sends, Ctrl+J begins a new line.",
        )

    def action_send(self) -> None:
        """Hand the text over and begin afresh."""
        if text := self.text.strip():
            self.clear()
            self.post_message(self.Sent(text))

    def action_newline(self) -> None:
        """A new line."""
        self.insert("\n")

    def put_back(self, text: str) -> None:
        """Give the text of a message that was not answered back, unless something new is being written."""
        if not self.text.strip():
            self.text = text
            self.move_cursor(self.document.end)
