"""The list of conversations, with what narrows it down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Select
from textual.worker import Worker

from tui.core.conversations import SHOWS, Listed, Show
from tui.keymap import spoken
from tui.keys import CONVERSATIONS
from tui.widgets.rows import Fetch, Row, Rows
from tui.widgets.text import Plain

TYPING_PAUSE = 0.12  # seconds without a letter before the list is searched
NAMES: dict[Show, str] = {name: f"Show: {name}" for name in SHOWS}


class ConversationList(Vertical):
    """The conversations that fit, the newest first. Knows nothing of the store: *fitting* reads the numbers of those
    that fit, beside the event loop, *fetch* turns numbers into rows. ``current``: the one that is open."""

    BINDINGS: ClassVar[list[BindingType]] = list(CONVERSATIONS)

    class Chosen(Message):
        """The operator opened a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id

    def __init__(self, fitting: Callable[[Show, str], Awaitable[list[int]]], fetch: Fetch) -> None:
        super().__init__(id="conversations")
        self._fitting, self._fetch = fitting, fetch
        self.current: int | None = None

    def compose(self) -> ComposeResult:
        """What narrows the list, the list, and the word for an empty one."""
        yield Input(id="conversation-filter", compact=True)
        yield Select(
            [(Content(NAMES[name]), name) for name in SHOWS],
            allow_blank=False,
            compact=True,
            id="conversation-show",
        )
        yield Rows(id="conversation-list")
        yield Plain("", id="conversation-count")

    def name_keys(self) -> None:
        """Say which key comes here."""
        self.query_one(Input).placeholder = spoken(self, "Search  ({desk.conversations})")

    @property
    def rows(self) -> Rows:
        """The list itself."""
        return self.query_one(Rows)

    @property
    def query_text(self) -> str:
        """The words the list is narrowed by."""
        return self.query_one(Input).value.strip()

    @property
    def shown(self) -> Show:
        """The kind of conversation the list is narrowed to."""
        return cast(Show, self.query_one(Select).value)

    @property
    def pointed(self) -> int | None:
        """The conversation that is highlighted, if the operator is in the list."""
        return self.rows.number if self.screen.focused is self.rows else None

    def refresh_list(self, after: float = 0.0) -> None:
        """List anew those that fit. *after*: seconds to wait first; each call makes an earlier one that waits
        needless."""
        work = partial(self._list_later, after)
        _: Worker[None] = self.run_worker(work, name="list", group="list", exclusive=True, exit_on_error=False)

    async def _list_later(self, after: float) -> None:
        await asyncio.sleep(after)
        await self._list()

    async def _list(self) -> list[int]:
        """List those that fit now, the open one highlighted unless the operator is moving through them."""
        shown, words = self.shown, self.query_text
        numbers = await self._fitting(shown, words)
        if self.is_attached and (shown, words) == (self.shown, self.query_text):
            pointed = self.pointed
            self.rows.show(numbers, self._fetch, pointed if pointed in numbers else self.current)
            count = self.query_one("#conversation-count", Plain)
            count.display = bool(words) or shown != "all"
            count.show(f"{len(numbers):,} found" if numbers else "Nothing found")
        return numbers

    def focus_list(self) -> None:
        """Be ready to choose."""
        if self.rows.highlighted is None:
            self.rows.action_first()
        self.rows.focus()

    def action_filter(self) -> None:
        """Be ready to search."""
        self.query_one(Input).focus()

    def action_show_list(self) -> None:
        """Be ready to choose what is shown."""
        select = self.query_one(Select)
        select.focus()
        select.action_show_overlay()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.refresh_list(TYPING_PAUSE)

    @on(Select.Changed)
    def _picked(self, event: Select.Changed) -> None:
        event.stop()
        self.refresh_list()

    @on(Input.Submitted)
    async def _open_first(self, event: Input.Submitted) -> None:
        event.stop()
        if found := await self._list():
            self.post_message(self.Chosen(found[0]))

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self.post_message(self.Chosen(event.number))


def row_of(listed: Listed) -> Row:
    """A conversation as a row: its title, and how many of its replies failed, wait, were corrected, were approved."""
    counts = (("!", listed.failed), ("•", listed.to_review), ("✎", listed.corrected), ("✓", listed.approved))
    marks = "".join(f"{mark}{count if count > 1 else ''}" for mark, count in counts if count)
    return Row(listed.conversation.title or "New conversation", marks)
