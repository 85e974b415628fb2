"""A conversation on the screen: what was said, the reply that is on its way, and what is being written."""

from __future__ import annotations

from textual import on
from textual.screen import Screen

from store.records import Turn
from store.text import clean
from tui import requests as ask
from tui.core import DeskError, MessageKept, ReplyDelta, ReplyEvent, ReplyStarted, turns
from tui.core.drafts import Drafts
from tui.core.excerpts import code_blocks, quoted
from tui.core.open_desk import OpenDesk
from tui.keymap import spoken
from tui.messages import Requested, TextEdited
from tui.talk import PendingReply, Talk
from tui.widgets.composer import Composer
from tui.widgets.text import Plain
from tui.widgets.transcript import Transcript
from tui.widgets.turns import BotTurn

EMPTY = (
    "Nothing has been said yet. Write as a customer would and press {composer.send}.\n\n"
    "Then correct the reply ({desk.correct}) or approve it ({desk.approve}). {desk.retrain} teaches the bot what was "
    "corrected."
)
WAITING = "waiting-for-model"
OTHER = {True: "faithful", False: "natural"}  # by whether a reply was sampled: the preset it was not made with


class ConversationScreen(Screen[None]):
    """Talking and reading. Whoever is a kind of it composes a :class:`Transcript` and a :class:`Composer`."""

    def __init__(self, desk: OpenDesk, drafts: Drafts) -> None:
        super().__init__()
        self.desk, self.drafts = desk, drafts
        self.talk = Talk(desk, self)
        self.conversation: int | None = None

    @property
    def composer(self) -> Composer:
        """Where the customer's message is written."""
        return self.query_one(Composer)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    def name_keys(self) -> None:
        """Name the keys in force where that always stands. Other screens name them whenever they are opened."""
        self.composer.name_keys()
        for line in self.query("#empty-transcript").results(Plain):
            line.show(spoken(self, EMPTY))

    # -- reading -----------------------------------------------------------------------------------
    async def open(self, conversation: int | None, at: int | None = None) -> None:
        """Show a conversation, from the turn *at* on if it lies far back; None is a new one, that has no row until
        something is said. What was being written stays with the conversation it was written in."""
        if conversation != self.conversation:
            self.drafts.put(self.conversation, self.composer.text)
            self.composer.write(self.drafts.message(conversation))
        self.conversation = conversation
        conversations = self.desk.conversations
        window = turns.latest(conversations, conversation)
        if at is not None:
            window = turns.around(conversations, conversation, at)
        await self.transcript.load(window, empty=spoken(self, EMPTY))
        await self._draw_pending()
        if at is not None:
            if self.transcript.reply(at) is not None:
                self.transcript.mark(at)
            self.call_after_refresh(self.transcript.show_turn, at)

    @on(Transcript.EarlierWanted)
    async def _show_earlier(self) -> None:
        if self.conversation is not None and (first := self.transcript.first) is not None:
            await self.transcript.show_before(turns.before(self.desk.conversations, self.conversation, first))

    @on(Transcript.LaterWanted)
    async def _show_later(self) -> None:
        if self.conversation is not None and (last := self.transcript.last) is not None:
            await self.transcript.show_after(turns.after(self.desk.conversations, self.conversation, last))
            await self._draw_pending()

    @property
    def marked_reply(self) -> Turn | None:
        """The reply that keys act on."""
        marked = self.transcript.marked
        return None if marked is None else self.desk.conversations.turn(marked)

    @property
    def marked_message(self) -> int | None:
        """The message that the marked reply answers; the last one, if that has no reply and no other is marked."""
        reply, last = self.marked_reply, self._last_turn()
        if last is not None and last.role == "customer" and self.transcript.last_is_marked:
            return last.id
        return reply.in_reply_to if reply is not None else None

    def _last_turn(self) -> Turn | None:
        if self.conversation is None:
            return None
        return next(iter(self.desk.conversations.turns(self.conversation, limit=1)), None)

    @on(Composer.MarkMoved)
    def _move_mark(self, event: Composer.MarkMoved) -> None:
        self.action_mark(event.by)

    def action_mark(self, by: int) -> None:
        """Mark the reply before or after."""
        self.transcript.action_mark(by)

    @on(BotTurn.Marked)
    def _marked(self) -> None:
        self.refresh_bindings()

    # -- talking -----------------------------------------------------------------------------------
    @on(Composer.Sent)
    def _send(self, event: Composer.Sent) -> None:
        if self.talk.current is not None:
            self.composer.put_back(event.text)
            word = spoken(self, "The bot is still writing. Wait for it, or stop it with {desk.stop}.")
            self.notify(word, markup=False)
            return
        try:
            self.conversation = self.talk.send(self.conversation, event.text)
        except DeskError as error:
            self.composer.put_back(event.text)
            self.notify(error.sentence, severity="warning", markup=False)
        self.refresh_bindings()

    @on(Talk.Happened)
    async def _happened(self, message: Talk.Happened) -> None:
        pending, event = message.pending, message.event
        if isinstance(event, ReplyDelta):
            pending.text += event.text
        if self.conversation == pending.conversation:
            await self._draw(pending, event)

    async def _draw(self, pending: PendingReply, event: ReplyEvent) -> None:
        if isinstance(event, MessageKept | ReplyStarted) and not self.transcript.at_end:
            await self.open(pending.conversation)  # what is said now belongs below the latest turns
        elif isinstance(event, MessageKept):
            await self.transcript.add_customer(event.turn)
            engine = self.desk.engine
            if engine.purpose is not None or engine.state.name not in ("ready", "busy"):
                await self.transcript.remark(f"{engine.state.sentence} The reply follows.", WAITING)
        elif isinstance(event, ReplyStarted):
            await self.transcript.take_away(WAITING)
            await self.transcript.begin_reply(event.turn, pending.text)
        elif isinstance(event, ReplyDelta):
            await self.transcript.extend_reply(pending.reply or 0, event.text)

    async def _draw_pending(self) -> None:
        """The reply that is being written here, if the latest turns are shown."""
        pending = self.talk.current
        if pending is None or pending.reply is None or pending.conversation != self.conversation:
            return
        if self.transcript.at_end:
            reply = self.desk.conversations.turn(pending.reply)
            await self.transcript.begin_reply(reply, pending.text)

    @on(Talk.Ended)
    async def _ended(self, message: Talk.Ended) -> None:
        """The one place where a reply's end is drawn, however it came. A message without its whole answer is there to
        be sent again."""
        pending, turn = message.pending, message.turn
        self.talk.over()
        if message.sentence is not None:
            self.notify(message.sentence, severity="warning" if turn else "error", markup=False, timeout=10)
        if self.conversation != pending.conversation:
            if not message.answered:
                self.drafts.offer(pending.conversation, pending.message)
        else:
            if not message.answered:
                self.composer.offer(pending.message)
            await self.transcript.take_away(WAITING)
            if turn is not None:
                await self.transcript.redraw(turn)
        self.refresh_bindings()

    async def action_stop(self) -> None:
        """Stop the reply."""
        await self.talk.stop()

    def action_write(self) -> None:
        """Go back to writing."""
        self.composer.focus()

    def action_again(self, preset: str | None = None) -> None:
        """Answer the marked reply's message once more (or the last message, if it has no reply)."""
        if (message := self.marked_message) is None or self.talk.current is not None:
            return
        try:
            self.talk.again(message, preset)
        except DeskError as error:
            self.notify(error.sentence, severity="warning", markup=False)
        self.refresh_bindings()

    def action_again_otherwise(self) -> None:
        """Answer once more with the preset that the marked reply was not made with."""
        if (reply := self.marked_reply) is not None:
            self.action_again(OTHER[bool(reply.reply is not None and reply.reply.decoding.get("do_sample"))])

    # -- taking up again ---------------------------------------------------------------------------
    @on(Composer.HistoryWanted)
    def _recall(self, event: Composer.HistoryWanted) -> None:
        self.composer.recall(event.by, self.desk.conversations.said())

    def action_resend(self) -> None:
        """A copy of the marked reply's message to be edited; what was said stays."""
        if (message := self.marked_message) is not None:
            self.composer.take(self.desk.conversations.turn(message).text)
            self.composer.focus()
            self._say("Edit this copy. {composer.send} sends it as a new message; the old one is kept.")

    def action_copy(self) -> None:
        """Copy what is selected on the screen, else the marked reply (as it should have been, if it was corrected) to
        the clipboard of the terminal, also over SSH."""
        if selected := self.get_selected_text():
            self.app.copy_to_clipboard(clean(selected))
        elif (reply := self.marked_reply) is not None:
            correction = reply.reply.correction if reply.reply is not None else None
            self._copy(correction or reply.text, "The correction is copied." if correction else "The reply is copied.")

    def action_copy_code(self) -> None:
        """Copy the code in the marked reply."""
        if (reply := self.marked_reply) is not None:
            self._copy(code_blocks(reply.text), "The code is copied.")

    def _copy(self, text: str, done: str) -> None:
        if text:
            self.app.copy_to_clipboard(clean(text))
        self._say(done if text else "The marked reply contains no such text to copy.")

    def action_quote(self) -> None:
        """Quote the marked reply above what is being written."""
        if (reply := self.marked_reply) is not None:
            self.composer.insert(quoted(reply.text), (0, 0), maintain_selection_offset=True)
            self.composer.move_cursor(self.composer.document.end)
            self.composer.focus()

    def action_edit_outside(self) -> None:
        """Write on in the operator's own editor."""
        self.post_message(Requested(ask.EditOutside(self.composer.text)))

    @on(TextEdited)
    def _take_edited(self, event: TextEdited) -> None:
        self.composer.take(event.text)
        self.composer.focus()

    def _say(self, sentence: str) -> None:
        self.notify(spoken(self, sentence), markup=False, timeout=3)
