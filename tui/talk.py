"""The exchange in progress: one at a time, whichever conversation is on the screen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from tui.core import DeskError, DeskService, ReplyEvent, ReplyStarted


@dataclass(slots=True)
class Exchange:
    """A message and the reply that is on its way. ``reply`` is None until the engine has taken the message on;
    ``text`` is what was shown of the reply so far."""

    conversation: int
    message: str
    reply: int | None = None
    text: str = ""


class Talk:
    """Sends messages, answers again and stops. What happens is posted to *screen*, which alone changes what is
    seen; the work itself belongs to the app, so that it outlives whatever is shown."""

    class Said(Message):
        """Something happened in the exchange."""

        def __init__(self, exchange: Exchange, event: ReplyEvent) -> None:
            super().__init__()
            self.exchange, self.event = exchange, event

    class Ended(Message):
        """The exchange is over. ``trouble``: why there is no reply, if there is none."""

        def __init__(self, exchange: Exchange, trouble: str | None) -> None:
            super().__init__()
            self.exchange, self.trouble = exchange, trouble

    def __init__(self, service: DeskService, screen: Screen[Any]) -> None:
        self._service, self._screen = service, screen
        self._worker: Worker[None] | None = None
        self.current: Exchange | None = None

    def send(self, conversation: int | None, text: str) -> int:
        """Keep the customer's message (None: in a new conversation) and begin to answer it; returns the conversation.

        Raises :class:`DeskError`, with nothing written."""
        with self._service.desk.atomic():
            if conversation is None:
                conversation = self._service.desk.conversations.create(self._service.who).id
            events = self._service.send(conversation, text)
        self._follow(events, Exchange(conversation, text))
        return conversation

    def again(self, message: int, preset: str | None = None) -> None:
        """Answer a message once more, by *preset* (None: the desk's). Raises :class:`DeskError`."""
        turn = self._service.desk.conversations.turn(message)
        self._follow(self._service.regenerate(message, preset), Exchange(turn.conversation_id, turn.text))

    async def stop(self) -> None:
        """Stop the reply; one that waits for its turn is not begun."""
        if self.current is None or self._worker is None:
            return
        if self.current.reply is None:
            self._worker.cancel()
        else:
            await self._service.stop()

    def _follow(self, events: AsyncIterator[ReplyEvent], exchange: Exchange) -> None:
        self.current = exchange
        self._worker = self._screen.app.run_worker(
            self._tell(events, exchange), name="exchange", group="exchange", exit_on_error=False
        )

    async def _tell(self, events: AsyncIterator[ReplyEvent], exchange: Exchange) -> None:
        trouble: str | None = None
        try:
            async with aclosing(cast(AsyncGenerator[ReplyEvent, None], events)):
                async for event in events:
                    if isinstance(event, ReplyStarted):
                        exchange.reply = event.turn.id
                    self._screen.post_message(self.Said(exchange, event))
        except DeskError as error:
            trouble = error.sentence
        finally:
            self._screen.post_message(self.Ended(exchange, trouble))
