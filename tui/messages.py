"""What the core tells, as a message of the app."""

from __future__ import annotations

from textual.message import Message

from tui.core import DeskChange


class DeskChanged(Message):
    """Something changed on the desk; see :mod:`tui.core.events`."""

    def __init__(self, change: DeskChange) -> None:
        super().__init__()
        self.change = change
