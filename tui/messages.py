"""What screens and the app say to each other: requests go up, news come down to every screen that is open."""

from __future__ import annotations

from textual.message import Message

from tui.core import DeskChange
from tui.requests import Request


class Requested(Message):
    """A screen asks for something that takes more than itself."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class News(Message, bubble=False):
    """Something that every open screen may want to know."""


class DeskChanged(News, bubble=False):
    """Something changed on the desk; see :mod:`tui.core.events`."""

    def __init__(self, change: DeskChange) -> None:
        super().__init__()
        self.change = change


class KeysChanged(News, bubble=False):
    """The settings give actions other keys."""


class ConversationWanted(News, bubble=False):
    """The chat shall show a conversation, from its turn *at* on."""

    def __init__(self, conversation: int, at: int) -> None:
        super().__init__()
        self.conversation, self.at = conversation, at


class ConversationArchived(News, bubble=False):
    """A conversation went off the list."""

    def __init__(self, conversation: int) -> None:
        super().__init__()
        self.conversation = conversation


class PairsChanged(News, bubble=False):
    """What was to be done to these pairs is done."""

    def __init__(self, pairs: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.pairs = pairs


class TextEdited(News, bubble=False):
    """What was being written, as it came back from the operator's own editor."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
