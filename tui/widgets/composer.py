"""Where the customer's message is written."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from store.text import clean
from tui.core.drafts import joined
from tui.keymap import spoken
from tui.keys import COMPOSER


class Composer(TextArea):
    """Grows with its text up to six lines; Enter sends. While it is empty, up and down mark replies and Ctrl+Z takes
    a judgement back."""

    BINDINGS: ClassVar[list[BindingType]] = list(COMPOSER)

    class Sent(Message):
        """The operator sent a message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class MarkMoved(Message):
        """The operator wants the reply *by* places further down to be marked."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class HistoryWanted(Message):
        """The operator wants what was sent *by* messages later (negative: earlier)."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self) -> None:
        self._recalled: list[str] = []  # what was sent, while one moves through it
        self._place = 0
        self._draft = ""  # what was being written before
        self._returned = ""  # what was put back at the beginning, and not sent since
        super().__init__(
            id="composer",
            show_line_numbers=False,
            soft_wrap=True,
            highlight_cursor_line=False,
            tab_behavior="focus",
        )

    def name_keys(self) -> None:
        """Say which key sends."""
        self.placeholder = spoken(self, "Write as the customer would. {composer.send} sends.")

    # Priority keys reach their action before letters typed ahead of them have reached this widget. What depends on the
    # text takes its turn behind those, or a hurried message would be cut.
    def action_send(self) -> None:
        """Hand the text over and begin afresh."""
        self.call_later(self._send)

    def _send(self) -> None:
        if text := self.text.strip():
            self._returned = ""
            self.clear()
            self.post_message(self.Sent(text))

    def action_newline(self) -> None:
        """A new line."""
        self.call_later(self.insert, "\n")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An empty composer has no typing to undo: the key is the chat's then."""
        return bool(self.text) if action == "undo" else super().check_action(action, parameters)

    def action_cursor_up(self, select: bool = False) -> None:
        """A line up, or to the reply before."""
        if self.text:
            super().action_cursor_up(select)
        else:
            self.post_message(self.MarkMoved(-1))

    def action_cursor_down(self, select: bool = False) -> None:
        """A line down, or to the reply after."""
        if self.text:
            super().action_cursor_down(select)
        else:
            self.post_message(self.MarkMoved(1))

    def action_recall(self, by: int) -> None:
        """What was sent before, or after that."""
        self.post_message(self.HistoryWanted(by))

    def recall(self, by: int, sent: list[str]) -> None:
        """Show the message *by* places later among *sent* (the oldest first); behind the last is what was being
        written."""
        moving = self._place < len(self._recalled) and self.text == self._recalled[self._place]
        if not moving:
            self._recalled, self._place, self._draft = sent, len(sent), self.text
        place = max(0, min(len(self._recalled), self._place + by))
        if place != self._place:
            self._place = place
            self.take(self._recalled[place] if place < len(self._recalled) else self._draft)

    def take(self, text: str) -> None:
        """Have *text* in place of what is there; Ctrl+Z brings that back."""
        self.replace(clean(text), (0, 0), self.document.end)
        self.move_cursor(self.document.end)

    def write(self, text: str) -> None:
        """Have *text* in place of what is there, ready to go on at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def offer(self, text: str) -> None:
        """Give the text of a message that is kept, but was not answered, back, unless something new is being
        written."""
        if not self.text.strip():
            self.write(text)

    def put_back(self, text: str) -> None:
        """Give the text of a message that was refused back: behind what was put back before it, and before what was
        written since."""
        before = self._returned if self._returned and self.text.startswith(self._returned) else ""
        since = self.text[len(before) :].strip("\n")
        self._returned = joined(before, text)
        self.write(joined(self._returned, since))
