"""The conversation on the screen: its latest turns, one of whose replies is marked."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message

from store.records import Turn
from tui.widgets.text import Plain, PlainButton
from tui.widgets.turns import BotTurn, CustomerTurn

WINDOW = 30  # turns shown at once: each reply is a dozen widgets, and mounting hundreds takes seconds


class Transcript(VerticalScroll, can_focus=True):
    """Shows turns; knows nothing of the store."""

    class EarlierWanted(Message):
        """The operator wants to see the turns before those shown."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.marked: int | None = None

    def compose(self) -> ComposeResult:
        """Nothing yet but the word for an empty conversation."""
        yield Plain("", id="empty-transcript")

    async def load(self, turns: list[Turn], *, earlier: bool, empty: str) -> None:
        """Show *turns* instead of what is shown. *earlier*: there are turns before them."""
        self.marked = None
        await self.remove_children()
        if not turns:
            await self.mount(Plain(empty, id="empty-transcript"))
            return
        widgets = [_widget(turn) for turn in turns]
        if earlier:
            await self.mount(PlainButton("Show earlier turns", id="earlier", compact=True))
        await self.mount_all(widgets)
        self.mark_last()
        self.anchor()

    async def add_customer(self, turn: Turn) -> None:
        """The customer said something."""
        await self._append(CustomerTurn(turn))

    async def begin_reply(self, turn: Turn) -> None:
        """A reply starts to stream."""
        await self._append(BotTurn(turn, streaming=True))
        self.mark(turn.id)

    async def extend_reply(self, turn_id: int, delta: str) -> None:
        """More of its text."""
        if (widget := self.reply(turn_id)) is not None:
            await widget.add(delta)

    async def finish_reply(self, turn: Turn) -> None:
        """It is over."""
        if (widget := self.reply(turn.id)) is not None:
            await widget.finish(turn)

    def show_reply(self, turn: Turn) -> None:
        """A reply was judged."""
        if (widget := self.reply(turn.id)) is not None:
            widget.show(turn)

    async def remark(self, sentence: str) -> None:
        """A line that is no turn: a swap, a failure."""
        await self._append(Plain(sentence, classes="remark"))

    async def _append(self, widget: BotTurn | CustomerTurn | Plain) -> None:
        await self.query("#empty-transcript").remove()
        await self.mount(widget)
        self.anchor()

    # -- the marked reply --------------------------------------------------------------------------
    @property
    def replies(self) -> list[BotTurn]:
        """The replies that are shown, in order."""
        return list(self.query(BotTurn))

    def reply(self, turn_id: int | None) -> BotTurn | None:
        """The widget of one reply, if it is shown."""
        return next((widget for widget in self.replies if widget.turn.id == turn_id), None)

    def mark(self, turn_id: int) -> None:
        """Mark a reply: it is the one that keys act on."""
        self.marked = turn_id
        for widget in self.replies:
            widget.set_class(widget.turn.id == turn_id, "-marked")

    def mark_last(self) -> None:
        """Mark the latest reply."""
        if self.replies:
            self.mark(self.replies[-1].turn.id)

    def move_mark(self, by: int) -> None:
        """Mark the reply *by* places further down."""
        ids = [widget.turn.id for widget in self.replies]
        if not ids:
            return
        place = ids.index(self.marked) if self.marked in ids else len(ids) - 1
        self.mark(ids[max(0, min(len(ids) - 1, place + by))])
        if (widget := self.reply(self.marked)) is not None:
            self.scroll_to_widget(widget, animate=False)

    def on_bot_turn_marked(self, event: BotTurn.Marked) -> None:
        """A click marks."""
        self.mark(event.turn_id)

    def on_button_pressed(self) -> None:
        """The one button there is."""
        self.post_message(self.EarlierWanted())


def _widget(turn: Turn) -> BotTurn | CustomerTurn:
    return BotTurn(turn) if turn.role == "bot" else CustomerTurn(turn)
