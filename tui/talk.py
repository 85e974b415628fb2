"""The reply that is on its way: one at a time, whichever conversation is on the screen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from store.records import Turn
from tui.core import DeskError, ReplyEvent, ReplyFinished, ReplyStarted
from tui.core.open_desk import OpenDesk


@dataclass(slots=True)
class PendingReply:
    """A message and the reply that is on its way. ``reply`` is None until the engine has taken the message on;
    ``text`` is what was drawn of the
    reply so far, or would have been."""

    conversation: int
    message: str
    reply: int | None = None
    text: str = ""


class Talk:
    """Sends messages, answers again and stops. What happens is posted to *screen*, which alone changes what is
    seen; the work itself belongs to the app, so that it outlives whatever is shown."""

    class Happened(Message):
        """Something happened before the reply's end."""

        def __init__(self, pending: PendingReply, event: ReplyEvent) -> None:
            super().__init__()
            self.pending, self.event = pending, event

    class Ended(Message):
        """The reply's end, however it came: complete, stopped, failed, or by the death of the engine. ``turn``: the
        reply as it is kept; None if there is none. ``sentence``: what went wrong, or why the reply is short."""

        def __init__(self, pending: PendingReply, turn: Turn | None, sentence: str | None) -> None:
            super().__init__()
            self.pending, self.turn, self.sentence = pending, turn, sentence

        @property
        def answered(self) -> bool:
            """Whether the message has its whole answer."""
            return self.turn is not None and self.turn.reply is not None and self.turn.reply.state == "complete"

    def __init__(self, desk: OpenDesk, screen: Screen[Any]) -> None:
        self._desk, self._screen = desk, screen
        self._worker: Worker[None] | None = None
        self.current: PendingReply | None = None  # until its end is drawn

    def send(self, conversation: int | None, text: str) -> int:
        """Keep the customer's message (None: in a new conversation) and begin to answer it; returns the conversation.

        Raises :class:`DeskError`, with nothing written."""
        if conversation is None:
            conversation, events = self._desk.chat.begin(text)
        else:
            events = self._desk.chat.send(conversation, text)
        self._follow(events, PendingReply(conversation, text))
        return conversation

    def again(self, message: int, preset: str | None = None) -> None:
        """Answer a message once more, by *preset* (None: the desk's). Raises :class:`DeskError`."""
        turn = self._desk.conversations.turn(message)
        self._follow(self._desk.chat.regenerate(message, preset), PendingReply(turn.conversation_id, turn.text))

    async def stop(self) -> None:
        """Stop the reply; one that waits for its turn is not begun."""
        if self.current is None or self._worker is None:
            return
        if self.current.reply is None:
            self._worker.cancel()
        else:
            await self._desk.chat.stop()

    def over(self) -> None:
        """The end of the reply is drawn; another message may be sent."""
        self.current = None

    def _follow(self, events: AsyncIterator[ReplyEvent], pending: PendingReply) -> None:
        self.current = pending
        self._worker = self._screen.app.run_worker(
            self._relay(events, pending), name="reply", group="reply", exit_on_error=False
        )

    async def _relay(self, events: AsyncIterator[ReplyEvent], pending: PendingReply) -> None:
        sentence: str | None = None
        try:
            async with aclosing(cast(AsyncGenerator[ReplyEvent, None], events)):
                async for event in events:
                    if isinstance(event, ReplyFinished):
                        sentence = event.sentence
                        continue
                    if isinstance(event, ReplyStarted):
                        pending.reply = event.turn.id
                    self._screen.post_message(self.Happened(pending, event))
        except DeskError as error:
            sentence = error.sentence
        finally:
            turn = None if pending.reply is None else self._desk.conversations.turn(pending.reply)
            self._screen.post_message(self.Ended(pending, turn, sentence))
