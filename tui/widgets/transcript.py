"""The conversation on the screen: its latest turns, one of whose replies is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Button

from store.records import Turn
from tui.core.turns import WINDOW, Window
from tui.keys import TRANSCRIPT
from tui.widgets.text import Plain, PlainButton
from tui.widgets.turns import BotTurn, CustomerTurn

MOST = 3 * WINDOW  # turns that stay mounted, however far one scrolls


class Transcript(VerticalScroll, can_focus=True):
    """Shows turns; knows nothing of the store."""

    BINDINGS: ClassVar[list[BindingType]] = list(TRANSCRIPT)

    class EarlierWanted(Message):
        """The operator wants to see the turns before those shown."""

    class LaterWanted(Message):
        """The operator wants to see the turns after those shown."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.marked: int | None = None

    async def load(self, window: Window, *, empty: str) -> None:
        """Show *window* instead of what is shown; *empty* is what stands where nothing was said."""
        self.marked = None
        async with self.batch():
            await self.remove_children()
            await self.mount_all(_widgets(window) or [Plain(empty, id="empty-transcript")])
        self.mark_last()
        self.anchor(not window.later)

    async def show_before(self, window: Window) -> None:
        """Put *window* before those shown; what the operator reads stays where it is. What is shown far below goes."""
        first = next(iter(self._turns), None)
        self.anchor(False)
        async with self.batch():
            await self.query("#earlier").remove()
            await self.mount_all(_widgets(window), before=0)
            if surplus := self._turns[MOST:]:
                await self.remove_children([*surplus, *self.query(".remark"), *self.query("#later")])
                await self.mount(_later())
        if first is not None:
            self.call_after_refresh(self.scroll_to_widget, first, animate=False, top=True)
        self._mark_something()

    async def show_after(self, window: Window) -> None:
        """Put *window* after those shown; what is shown far above goes."""
        last = next(iter(reversed(self._turns)), None)
        self.anchor(False)
        async with self.batch():
            await self.query("#later").remove()
            await self.mount_all(_widgets(window))
            if surplus := self._turns[:-MOST]:
                await self.remove_children([*surplus, *self.query("#earlier")])
                await self.mount(_earlier(), before=0)
        if last is not None:
            self.call_after_refresh(self.scroll_to_widget, last, animate=False)
        self._mark_something()

    @property
    def at_end(self) -> bool:
        """Whether the latest turns are shown, so that the next one belongs below them."""
        return not self.query("#later")

    async def add_customer(self, turn: Turn) -> None:
        """The customer said something."""
        await self._append(CustomerTurn(turn))
        self.anchor()

    async def begin_reply(self, turn: Turn, text: str = "") -> None:
        """A reply streams, and *text* of it is there already."""
        if (widget := self.reply(turn.id)) is None:
            await self._append(widget := BotTurn(turn, streaming=True))
            self.anchor()
        await widget.begin(text)
        self.mark(turn.id)

    async def extend_reply(self, turn_id: int, delta: str) -> None:
        """More of its text."""
        if (widget := self.reply(turn_id)) is not None:
            await widget.add(delta)

    async def redraw(self, turn: Turn) -> None:
        """A reply is over, or is another than it was: draw it as it is kept, if it is shown."""
        if (widget := self.reply(turn.id)) is not None:
            await widget.redraw(turn)

    async def follow(self, turns: Sequence[Turn]) -> None:
        """Show what changed elsewhere: *turns* are the latest as they are kept now."""
        shown = {widget.turn.id: widget for widget in self._turns}
        newest = max(shown, default=0)
        for turn in turns:
            known = shown.get(turn.id)
            if known is None and turn.id > newest and self.at_end:
                await self._append(_widget(turn))
            elif isinstance(known, BotTurn) and known.turn != turn and not known.streaming:
                await known.redraw(turn)
        if self.marked is None:
            self.mark_last()

    async def remark(self, sentence: str, name: str | None = None) -> None:
        """A line that is no turn: a swap, a wait. One with a *name* can be taken away again."""
        await self._append(Plain(sentence, classes="remark", id=name))

    async def take_away(self, name: str) -> None:
        """Take the remark called *name* away, if it is there."""
        await self.query(f"#{name}").remove()

    async def _append(self, widget: BotTurn | CustomerTurn | Plain) -> None:
        await self.query("#empty-transcript").remove()
        await self.mount(widget)

    # -- the marked reply --------------------------------------------------------------------------
    @property
    def first(self) -> int | None:
        """The id of the first turn that is shown."""
        return next((widget.turn.id for widget in self._turns), None)

    @property
    def last(self) -> int | None:
        """The id of the last turn that is shown."""
        return next((widget.turn.id for widget in reversed(self._turns)), None)

    @property
    def _turns(self) -> list[BotTurn | CustomerTurn]:
        return [widget for widget in self.children if isinstance(widget, BotTurn | CustomerTurn)]

    @property
    def replies(self) -> list[BotTurn]:
        """The replies that are shown, in order."""
        return list(self.query(BotTurn))

    def reply(self, turn_id: int | None) -> BotTurn | None:
        """The widget of one reply, if it is shown."""
        return next((widget for widget in self.replies if widget.turn.id == turn_id), None)

    @property
    def last_is_marked(self) -> bool:
        """Whether the mark is where it is by itself: on the latest reply, or nowhere."""
        return self.marked is None or self.replies[-1].turn.id == self.marked

    def mark(self, turn_id: int) -> None:
        """Mark a reply: it is the one that keys act on."""
        self.marked = turn_id
        for widget in self.replies:
            widget.mark(widget.turn.id == turn_id)

    def mark_last(self) -> None:
        """Mark the latest reply."""
        if self.replies:
            self.mark(self.replies[-1].turn.id)

    def action_mark(self, by: int) -> None:
        """Mark the reply *by* places further down."""
        ids = [widget.turn.id for widget in self.replies]
        if not ids:
            return
        place = (ids.index(self.marked) if self.marked in ids else len(ids) - 1) + by
        self.mark(ids[max(0, min(len(ids) - 1, place))])
        self.show_turn(self.marked)
        if place < 0 and self.query("#earlier"):
            self.post_message(self.EarlierWanted())
        elif place >= len(ids) and not self.at_end:
            self.post_message(self.LaterWanted())

    def _mark_something(self) -> None:
        if self.reply(self.marked) is None:
            self.marked = None
            self.mark_last()

    def show_turn(self, turn_id: int | None) -> None:
        """Bring a turn into view."""
        for widget in self._turns:
            if widget.turn.id == turn_id:
                self.scroll_to_widget(widget, animate=False)

    def on_bot_turn_marked(self, event: BotTurn.Marked) -> None:
        """A click marks."""
        self.mark(event.turn_id)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Earlier or later turns."""
        event.stop()
        self.post_message(self.EarlierWanted() if event.button.id == "earlier" else self.LaterWanted())


def _earlier() -> PlainButton:
    return PlainButton("Show earlier turns", id="earlier", compact=True)


def _later() -> PlainButton:
    return PlainButton("Show later turns", id="later", compact=True)


def _widgets(window: Window) -> list[BotTurn | CustomerTurn | Plain | PlainButton]:
    first, last = [_earlier()] if window.earlier else [], [_later()] if window.later else []
    return [*first, *(_widget(turn) for turn in window.turns), *last]


def _widget(turn: Turn) -> BotTurn | CustomerTurn:
    return BotTurn(turn) if turn.role == "bot" else CustomerTurn(turn)
