"""The list of conversations, with a box that filters it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from store.records import Conversation
from tui.keys import CONVERSATIONS

NEAR_END = 10  # places before the end at which older conversations are fetched


class ConversationList(Vertical):
    """The latest conversations, the newest first; older ones come as the highlight nears the end."""

    BINDINGS: ClassVar[list[BindingType]] = list(CONVERSATIONS)

    class Chosen(Message):
        """The operator opened a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id

    class Filtered(Message):
        """The operator typed into the filter, or wants more of what it lets through."""

    def __init__(self) -> None:
        super().__init__(id="conversations")
        self._shown: list[tuple[int, str]] = []
        self.wanted = 0  # how many more than the first window
        self._complete = True

    def compose(self) -> ComposeResult:
        """Filter, list, and the word for an empty one."""
        yield Input(id="conversation-filter", placeholder="Filter  (Ctrl+L)", compact=True)
        yield OptionList(id="conversation-list", compact=True)

    @property
    def query_text(self) -> str:
        """What the list is filtered by."""
        return self.query_one(Input).value.strip()

    def show(self, conversations: list[Conversation], current: int | None, *, complete: bool) -> None:
        """Show *conversations* with *current* highlighted; *complete*: there are no older ones."""
        self._complete = complete
        rows = [(conversation.id, conversation.title or "New conversation") for conversation in conversations]
        options = self.query_one(OptionList)
        if rows != self._shown:
            kept = options.highlighted_option
            self._shown = rows
            options.clear_options()
            options.add_options([Option(Content(title), id=str(number)) for number, title in rows])
            if kept is not None and kept.id is not None and options.has_focus:
                current = int(kept.id)
        elif options.has_focus:
            return  # the operator is moving through it
        places = [number for number, _ in rows]
        options.highlighted = places.index(current) if current in places else None

    def focus_list(self) -> None:
        """Be ready to choose."""
        options = self.query_one(OptionList)
        if options.highlighted is None:
            options.action_first()
        options.focus()

    def action_filter(self) -> None:
        """Be ready to filter."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.wanted = 0
        self.post_message(self.Filtered())

    @on(Input.Submitted)
    def _first(self, event: Input.Submitted) -> None:
        event.stop()
        if self._shown:
            self.post_message(self.Chosen(self._shown[0][0]))

    @on(OptionList.OptionHighlighted)
    def _near_end(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if not self._complete and event.option_index >= len(self._shown) - NEAR_END:
            self._complete = True  # until the answer comes
            self.wanted += 1
            self.post_message(self.Filtered())

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Chosen(int(event.option_id)))
