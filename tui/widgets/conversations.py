"""The list of conversations."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from store.records import Conversation


class ConversationList(OptionList):
    """The latest conversations, the newest first."""

    class Chosen(Message):
        """The operator opened a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id

    def __init__(self) -> None:
        super().__init__(id="conversations")
        self._shown: list[tuple[int, str]] = []

    def show(self, conversations: list[Conversation], current: int | None) -> None:
        """Show *conversations* with *current* highlighted; does nothing if nothing changed."""
        rows = [(conversation.id, conversation.title or "New conversation") for conversation in conversations]
        if rows != self._shown:
            self._shown = rows
            self.clear_options()
            self.add_options([Option(Content(title), id=str(number)) for number, title in rows])
        places = [number for number, _ in rows]
        if current in places:
            self.highlighted = places.index(current)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or click."""
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Chosen(int(event.option_id)))
