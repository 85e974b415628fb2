"""The review queue: one reply after the other, one key each."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Markdown

from store.records import Reply, Turn
from tui import requests as ask
from tui.core import StoreChanged
from tui.core.certainty import certainty_words
from tui.core.drafts import Drafts
from tui.core.judgements import Order, Progress, ReviewItem
from tui.core.judging import Judged, Judging
from tui.core.open_desk import OpenDesk
from tui.core.pair_words import from_correction
from tui.core.run_words import bar
from tui.keymap import spoken
from tui.keys import REVIEW
from tui.messages import DeskChanged, Requested
from tui.screens.correction import CorrectionEditor
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain, shown

NONE_LEFT = (
    "Every reply has been judged. New replies appear here.\n\n"
    "{dialog.dismiss_dialog} goes back to the chat; the bot learns corrections at the next {desk.retrain}."
)
FIRST = {"oldest": "the oldest first", "least certain": "the least certain first"}
BAR = 20  # columns of the progress


class ReviewScreen(ResultScreen[Turn | None]):
    """Judges replies one by one; returns the reply to be opened in the chat, if any.

    Nothing is reserved: what another operator judges meanwhile simply makes room for the next."""

    BINDINGS: ClassVar[list[BindingType]] = list(REVIEW)

    def __init__(self, desk: OpenDesk, judging: Judging, drafts: Drafts) -> None:
        super().__init__()
        self._desk, self._review = desk, desk.review
        self._judging, self._drafts = judging, drafts
        self._order: Order = "oldest"
        self._item: ReviewItem | None = None
        self._later: set[int] = set()  # what is wrong, and was put off here: it is asked about again at the end
        self._done: list[int] = []  # what was judged or skipped here, to be taken back in turn

    def compose(self) -> ComposeResult:
        """How far, then the reply with what was asked, then keys."""
        with Vertical(id="review"):
            yield Plain("", id="review-progress", classes="title")
            with Container(id="review-item", classes="sides"):
                with VerticalScroll(id="review-context", can_focus=False):
                    yield Plain("", id="review-before", classes="detail")
                with VerticalScroll(id="review-body"):
                    yield Plain("Customer", classes="who")
                    yield Plain("", id="review-question")
                    yield Plain("", id="review-head", classes="who")
                    # The model's words: links are shown, never opened.
                    yield Markdown("", id="review-reply", open_links=False)
            yield Plain(spoken(self, NONE_LEFT), id="review-empty")
        yield KeyBar()

    async def on_mount(self) -> None:
        """Begin with the first."""
        await self._go_on()
        self.query_one("#review-body").focus()

    @on(DeskChanged)
    async def _follow(self, event: DeskChanged) -> None:
        """Somebody else wrote to the desk: what is judged by now is out of the way."""
        if not isinstance(event.change, StoreChanged) or not self.is_current:
            return
        if self._item is None or not self._review.waits(self._item.reply.id):
            await self._go_on()
        else:
            await self._count()

    # -- showing -----------------------------------------------------------------------------------
    async def _go_on(self) -> None:
        await self._show(self._review.next(self._order, self._later))

    async def _show(self, item: ReviewItem | None) -> None:
        self._item = item
        self.query_one("#review-item").display = item is not None
        self.query_one("#review-empty").display = item is None
        if item is not None:
            reply = item.reply.reply
            assert reply is not None
            self.query_one("#review-context").display = item.before is not None
            if item.before is not None:
                customer, bot = item.before
                self.query_one("#review-before", Plain).show(f"Before that\n\nCustomer\n{customer}\n\nBot\n{bot}")
            self.query_one("#review-question", Plain).show(item.message.text)
            self.query_one("#review-head", Plain).show(head_words(reply))
            await self.query_one("#review-reply", Markdown).update(shown(item.reply.proposed))
            self.query_one("#review-body", VerticalScroll).scroll_home(animate=False)
        await self._count()

    async def _count(self) -> None:
        progress = await self._review.progress()
        if self.is_attached:
            self.query_one("#review-progress", Plain).show(progress_words(progress, self._order))
            self.refresh_bindings()

    # -- judging -----------------------------------------------------------------------------------
    async def action_approve(self) -> None:
        """The reply is good as it is."""
        if self._item is not None:
            reply = self._item.reply.id
            await self._go_on_after(reply, self._judging.approve(reply, queued=True))

    async def action_skip(self) -> None:
        """Leave it to nobody; what is marked as wrong is left for later."""
        if (item := self._item) is None:
            return
        if item.reply.reply is not None and item.reply.reply.rejected:
            await self._put_off(item.reply.id)
        else:
            await self._go_on_after(item.reply.id, self._judging.skip(item.reply.id))

    async def action_reject(self) -> None:
        """It is wrong, whatever would be right."""
        if self._item is not None:
            reply = self._item.reply.id
            if (judged := self._judging.reject(reply, queued=True)) == "kept":
                self._later.add(reply)
            await self._go_on_after(reply, judged)

    async def _put_off(self, reply: int) -> None:
        if reply in self._later:  # everything else was looked at: begin again
            self._later.clear()
        self._later.add(reply)
        await self._go_on()

    def action_correct(self) -> None:
        """Write what it should have said."""
        if (item := self._item) is None:
            return
        outcomes: list[Judged] = []

        def keep(text: str) -> bool:
            outcomes.append(self._judging.correct(item.reply.id, text, queued=True))
            return outcomes[-1] != "refused"

        async def go_on(text: str | None) -> None:
            if text is not None:
                await self._go_on_after(item.reply.id, outcomes[-1])

        lengths = self._desk.pairs.length_words()
        self.app.push_screen(CorrectionEditor(item.message, item.reply, keep, lengths, self._drafts), go_on)

    async def _go_on_after(self, reply: int, judged: Judged) -> None:
        """On to the next reply, unless the judgement could not be kept."""
        if judged == "kept":
            self._done.append(reply)
        if judged != "refused":
            await self._go_on()

    async def action_take_back(self) -> None:
        """Back to what was judged or skipped last, as if it had not been."""
        if self._done and self._judging.withdraw(reply := self._done.pop(), queued=True) == "kept":
            self._later.discard(reply)
            await self._show(self._review.item(reply))

    async def action_order(self) -> None:
        """The other order."""
        self._order = "least certain" if self._order == "oldest" else "oldest"
        await self._go_on()

    def action_who_taught(self) -> None:
        """What taught the reply."""
        if self._item is not None:
            self.post_message(Requested(ask.WhoTaught(self._item.reply.id)))

    def action_open(self) -> None:
        """See the reply in its conversation."""
        if self._item is not None:
            self.dismiss(self._item.reply)

    def action_dismiss_dialog(self) -> None:
        """Back to the chat."""
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if action in ("approve", "correct", "skip", "open", "who_taught"):
            return self._item is not None
        if action == "reject":
            reply = self._item.reply.reply if self._item is not None else None
            return reply is not None and not reply.rejected
        return bool(self._done) if action == "take_back" else True


def progress_words(progress: Progress, order: Order) -> str:
    """How far the queue is, in a line."""
    whole = progress.today + progress.left
    share = bar(progress.today / whole if whole else 1.0, BAR)
    left = f"{progress.left} left{f', {progress.wrong} wrong' if progress.wrong else ''}"
    return f"{share} {progress.today} of {whole} judged today · {left} · {FIRST[order]}"


def head_words(reply: Reply) -> str:
    """Who answered, how sure it was, and what was said of it before, in a line."""
    sure = from_correction(reply.from_correction) or certainty_words(reply)
    who = "Bot's draft, a customer waits" if reply.handed_over else "Bot"
    before = "✗ wrong, not corrected yet" if reply.rejected else "skipped before" if reply.skipped else ""
    return " · ".join(part for part in (who, reply.version, sure, before) if part)
