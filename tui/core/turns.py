"""Which turns of a conversation are shown at once, however long it is."""

from __future__ import annotations

from dataclasses import dataclass

from store.records import Turn
from tui.core.conversations import ConversationDesk

WINDOW = 30  # turns fetched at once: each reply is a dozen widgets, and mounting hundreds takes seconds


@dataclass(frozen=True, slots=True)
class Window:
    """Some turns in order, and whether there are ``earlier`` and ``later`` ones."""

    turns: list[Turn]
    earlier: bool = False
    later: bool = False


def latest(conversations: ConversationDesk, conversation: int | None) -> Window:
    """The latest turns."""
    if conversation is None:
        return Window([])
    turns = conversations.turns(conversation, limit=WINDOW + 1)
    return Window(turns[-WINDOW:], len(turns) > WINDOW)


def around(conversations: ConversationDesk, conversation: int | None, at: int) -> Window:
    """The turns around the turn *at*, unless it is among the latest."""
    last = latest(conversations, conversation)
    if conversation is None or not last.earlier or last.turns[0].id <= at:
        return last
    half = WINDOW // 2
    before = conversations.turns(conversation, limit=half + 1, before_id=at)
    after = conversations.turns(conversation, limit=half + 1, after_id=at - 1)
    return Window([*before[-half:], *after[:half]], len(before) > half, len(after) > half)


def before(conversations: ConversationDesk, conversation: int, first: int) -> Window:
    """The turns before the turn *first*."""
    turns = conversations.turns(conversation, limit=WINDOW + 1, before_id=first)
    return Window(turns[-WINDOW:], earlier=len(turns) > WINDOW)


def after(conversations: ConversationDesk, conversation: int, last: int) -> Window:
    """The turns after the turn *last*."""
    turns = conversations.turns(conversation, limit=WINDOW + 1, after_id=last)
    return Window(turns[:WINDOW], later=len(turns) > WINDOW)
