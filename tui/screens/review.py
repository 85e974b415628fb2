"""The review queue: one reply after the other, one key each."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Markdown

from store.conversations.review import Order, Progress, ReviewItem
from store.records import Turn
from tui.core import DeskError, DeskService
from tui.core.certainty import certainty_words
from tui.core.run_words import bar
from tui.keymap import spoken
from tui.keys import REVIEW
from tui.screens.correction import CorrectionEditor
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain, shown

NONE_LEFT = (
    "Every reply is judged. New ones come here as soon as the bot has answered.\n\n"
    "{dialog.dismiss_dialog} goes back to the chat; what was corrected trains at the next {desk.retrain}."
)
FIRST = {"oldest": "the oldest first", "least certain": "the least certain first"}
BAR = 20  # columns of the progress


class ReviewScreen(ResultScreen[Turn | None]):
    """Judges replies one by one; returns the reply to be opened in the chat, if any.

    Nothing is reserved: what another operator judges meanwhile simply makes room for the next."""

    BINDINGS: ClassVar[list[BindingType]] = list(REVIEW)

    def __init__(self, service: DeskService) -> None:
        super().__init__()
        self._service, self._review = service, service.desk.review
        self._order: Order = "oldest"
        self._item: ReviewItem | None = None
        self._done: list[int] = []  # what was judged or skipped here, to be taken back in turn

    def compose(self) -> ComposeResult:
        """How far, then the reply with what was asked, then keys."""
        with Vertical(id="review"):
            yield Plain("", id="review-progress", classes="title")
            with VerticalScroll(id="review-body"):
                yield Plain("", id="review-before", classes="detail")
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

    async def follow(self) -> None:
        """Somebody else wrote to the desk: what is judged by now is out of the way."""
        if self._item is None or not self._review.waits(self._item.reply.id):
            await self._go_on()
        else:
            await self._count()

    # -- showing -----------------------------------------------------------------------------------
    async def _go_on(self) -> None:
        await self._show(self._review.next(self._order))

    async def _show(self, item: ReviewItem | None) -> None:
        self._item = item
        self.query_one("#review-body").display = item is not None
        self.query_one("#review-empty").display = item is None
        if item is not None:
            reply = item.reply.reply
            assert reply is not None
            before = self.query_one("#review-before", Plain)
            before.display = item.before is not None
            if item.before is not None:
                before.show(f"Before that\n  Customer: {item.before[0]}\n  Bot: {item.before[1]}")
            self.query_one("#review-question", Plain).show(item.message.text)
            self.query_one("#review-head", Plain).show(
                f"Bot · {reply.version} · {certainty_words(reply.certainty)}{' · skipped before' * reply.skipped}"
            )
            await self.query_one("#review-reply", Markdown).update(shown(item.reply.text))
            self.query_one("#review-body", VerticalScroll).scroll_home(animate=False)
        await self._count()

    async def _count(self) -> None:
        progress = await self._service.reader.read(lambda desk: desk.review.progress())
        if self.is_attached:
            self.query_one("#review-progress", Plain).show(progress_words(progress, self._order))
            self.refresh_bindings()

    # -- judging -----------------------------------------------------------------------------------
    async def action_approve(self) -> None:
        """The reply is good as it stands."""
        await self._judge(lambda reply: self._review.approve(reply, self._service.who) is not None)

    def action_correct(self) -> None:
        """Write what it should have said."""
        if self._item is not None:
            self._write_correction(self._item)

    def _write_correction(self, item: ReviewItem, begun: str | None = None) -> None:
        async def keep(text: str | None) -> None:
            kept = text is None or await self._judge(
                lambda reply: self._review.correct(reply, text, self._service.who) is not None
            )
            if not kept:
                self._write_correction(item, text)

        self.app.push_screen(
            CorrectionEditor(item.message, item.reply, begun, self._service.parts.pairs.length_words()), keep
        )

    async def action_skip(self) -> None:
        """Leave it to nobody."""
        await self._judge(lambda reply: self._review.skip(reply, self._service.who))

    async def _judge(self, judge: Callable[[int], bool]) -> bool:
        """Judge the reply and go on to the next; False if the judgement could not be kept, which is said."""
        if self._item is None:
            return True
        reply = self._item.reply.id
        try:
            if judge(reply):
                self._done.append(reply)
            else:
                self.notify("Somebody judged this reply a moment ago; theirs stands.", markup=False, timeout=4)
        except DeskError as error:
            self.notify(error.sentence, severity="warning", markup=False)
            return False
        await self._go_on()
        return True

    async def action_take_back(self) -> None:
        """Back to what was judged or skipped last, as if it had not been."""
        if not self._done:
            return
        reply = self._done.pop()
        try:
            self._service.withdraw(reply)
        except DeskError as error:
            self.notify(error.sentence, severity="warning", markup=False)
            return
        await self._show(self._review.item(reply))

    async def action_order(self) -> None:
        """The other order."""
        self._order = "least certain" if self._order == "oldest" else "oldest"
        await self._go_on()

    def action_open(self) -> None:
        """See the reply in its conversation."""
        if self._item is not None:
            self.dismiss(self._item.reply)

    def action_dismiss_dialog(self) -> None:
        """Back to the chat."""
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if action in ("approve", "correct", "skip", "open"):
            return self._item is not None
        return bool(self._done) if action == "take_back" else True


def progress_words(progress: Progress, order: Order) -> str:
    """How far the queue is, in a line."""
    whole = progress.today + progress.left
    share = bar(progress.today / whole if whole else 1.0, BAR)
    return f"{share} {progress.today} of {whole} judged today · {progress.left} left · {FIRST[order]}"
