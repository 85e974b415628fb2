"""One turn of a conversation on the screen."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownStream

from store.records import Reply, Turn
from tui.core.certainty import certainty_words
from tui.core.pair_words import from_correction
from tui.widgets.text import Plain, shown


class CustomerTurn(Vertical):
    """What the customer said."""

    def __init__(self, turn: Turn) -> None:
        super().__init__(classes="turn customer")
        self.turn = turn

    def compose(self) -> ComposeResult:
        """A line that says who, then the words."""
        yield Plain("Customer", classes="who")
        yield Plain(self.turn.text, classes="said")


class BotTurn(Vertical):
    """A reply: who answered and how it ended, the text as Markdown, and what the operator made of it."""

    class Marked(Message):
        """The operator clicked on a reply."""

        def __init__(self, turn_id: int) -> None:
            super().__init__()
            self.turn_id = turn_id

    def __init__(self, turn: Turn, *, streaming: bool = False) -> None:
        super().__init__(classes="turn bot")
        self.turn = turn
        self.streaming = streaming
        self._is_marked = False
        self._stream: MarkdownStream | None = None
        self._text = "" if streaming else turn.text

    def compose(self) -> ComposeResult:
        """Head, text, correction."""
        yield Plain(self.head, classes="who")
        # Links are the model's words, not the operator's: they are shown, never opened.
        yield Markdown(shown(self._text), open_links=False, classes="said")
        yield Plain(classes="correction")

    def on_mount(self) -> None:
        """Draw what is known already."""
        self._draw_standing()

    @property
    def head(self) -> str:
        """The line above the text: version, state and judgement, in words."""
        reply = self.turn.reply
        assert reply is not None
        parts = ["▶ Bot" if self._is_marked else "Bot", reply.version]
        if reply.from_correction is not None:
            parts.append(from_correction(reply.from_correction))
        if self.streaming:
            parts.append("writing…")
        elif reply.finished_at is None:
            parts.append("not finished")
        elif reply.state != "complete":
            parts.append(reply.state)
        if reply.chance is not None:
            parts.append(certainty_words(reply))
        elif reply.handed_over:
            parts.append("handed over")
        if reply.correction is not None:
            parts.append("✎ corrected")
        elif reply.approved:
            parts.append("✓ approved")
        elif reply.rejected:
            parts.append("✗ wrong")
        return " · ".join(parts)

    def mark(self, marked: bool) -> None:
        """Show whether this is the reply that keys act on."""
        self._is_marked = marked
        self.set_class(marked, "-marked")
        if self.is_mounted:
            self.query_one(".who", Plain).show(self.head)

    async def begin(self, text: str) -> None:
        """It streams; *text* is there already."""
        self.streaming = True
        if text != self._text:
            self._text = text
            await self.query_one(Markdown).update(text)
        self._draw_standing()

    async def add(self, delta: str) -> None:
        """More text while the reply streams."""
        if self._stream is None:
            self._stream = Markdown.get_stream(self.query_one(Markdown))
        self._text += delta
        await self._stream.write(delta)

    async def on_unmount(self) -> None:
        """Another conversation is shown; the reply goes on without being drawn."""
        if self._stream is not None:
            await self._stream.stop()

    async def redraw(self, turn: Turn) -> None:
        """The reply is over, or is another than it was: draw it as it is kept."""
        self.streaming = False
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        self.turn = turn
        if self._text != turn.text:
            self._text = turn.text
            await self.query_one(Markdown).update(shown(turn.text))
        self._draw_standing()

    def _draw_standing(self) -> None:
        """How it ended, and what the operator made of it."""
        reply: Reply | None = self.turn.reply
        correction = reply.correction if reply is not None else None
        told = f"should have said: {correction}" if correction is not None else ""
        if not told and reply is not None and reply.draft is not None:
            told = f"the bot's draft, not sent: {reply.draft}"
        self.query_one(".who", Plain).show(self.head)
        box = self.query_one(".correction", Plain)
        box.display = bool(told)
        box.show(told)
        self.set_class(correction is not None, "-corrected")
        self.set_class(bool(reply and reply.approved), "-approved")
        self.set_class(bool(reply and reply.rejected), "-rejected")
        self.set_class(bool(reply and reply.state == "failed" and not self.streaming), "-failed")

    def on_click(self, event: Any) -> None:
        """Mark the reply that was clicked."""
        self.post_message(self.Marked(self.turn.id))
