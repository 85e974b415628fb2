"""The chat: conversations, transcript, composer, and what is always in view."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from store.conversations.drafts import Draft
from store.records import Turn
from store.text import clean
from tui.core import DeskError, DeskService, MessageKept, ReplyDelta, ReplyFinished, ReplyStarted
from tui.keymap import spoken
from tui.keys import CHAT
from tui.screens.correction import CorrectionEditor
from tui.screens.following import Following
from tui.screens.reusing import Reusing
from tui.screens.search import SearchDialog
from tui.talk import Exchange, Talk
from tui.widgets.composer import Composer, joined
from tui.widgets.conversations import ConversationList
from tui.widgets.keybar import KeyBar
from tui.widgets.status import QualityLine, RunLine, StatusBar
from tui.widgets.text import Plain
from tui.widgets.transcript import WINDOW, Transcript
from tui.widgets.turns import BotTurn

EMPTY = (
    "Nothing was said yet. Write as a customer would and press {composer.send}.\n\n"
    "Then correct the reply ({desk.correct}) or approve it ({desk.approve}); {desk.retrain} teaches the bot what was "
    "corrected."
)
WAITING = "waiting-for-model"
TYPING_PAUSE = 0.12  # seconds without a letter before the list is searched


class ChatScreen(Screen[None]):
    """Where operators spend their day."""

    BINDINGS: ClassVar[list[BindingType]] = list(CHAT)

    def __init__(self, service: DeskService) -> None:
        super().__init__()
        self._service = service
        self._desk = service.desk
        self.talk = Talk(service, self)
        self.follows = Following(service, self)
        self.reuses = Reusing(service, self)
        self.conversation: int | None = None
        self._drafts: dict[int | None, str] = {}  # what was being written in each conversation
        self._begun: dict[int, str] = {}  # better answers that were being written, by reply

    def compose(self) -> ComposeResult:
        """Status on top, list and transcript in the middle, composer and keys below."""
        yield StatusBar(id="status")
        with Horizontal(id="middle"):
            yield ConversationList()
            with Vertical(id="talk"):
                yield Transcript()
                yield QualityLine()
                yield RunLine()
                yield Composer()
        yield KeyBar()

    async def on_mount(self) -> None:
        """Open the latest conversation."""
        self.name_keys()
        latest = next((found.id for found in self._desk.conversations.list(limit=1)), None)
        self._take_drafts(latest)
        await self.open(latest)
        self.composer.focus()

    def name_keys(self) -> None:
        """Name the keys in force where that always stands. Other screens name them whenever they are opened."""
        self.composer.name_keys()
        self.query_one(ConversationList).name_keys()
        for line in self.query("#empty-transcript").results(Plain):
            line.show(spoken(self, EMPTY))

    @property
    def composer(self) -> Composer:
        """Where the customer's message is written."""
        return self.query_one(Composer)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    # -- drafts ------------------------------------------------------------------------------------
    def _take_drafts(self, opened: int | None) -> None:
        """Take up what was being written when the app was left; what does not belong into the conversation that will
        be *opened* is told of."""
        drafts = self._desk.drafts.take(self._service.who)
        for draft in drafts:
            if draft.reply is not None:
                self._begun[draft.reply] = draft.text
            else:
                self._drafts[draft.conversation] = joined(self._drafts.get(draft.conversation, ""), draft.text)
        self.composer.write(self._drafts.pop(None, ""))
        if any(draft.reply is not None or draft.conversation != opened for draft in drafts):
            self.notify("What you were writing when the app was left is there again, where you wrote it.")

    def keep_drafts(self) -> None:
        """Keep what is being written for the next start: messages, and the better answer in the open editor. Raises
        :class:`DeskError` if that can't be."""
        texts = self._drafts | {self.conversation: self.composer.text}
        drafts = [Draft(text, conversation) for conversation, text in texts.items() if text.strip()]
        editors = [screen for screen in self.app.screen_stack if isinstance(screen, CorrectionEditor)]
        begun = self._begun | {editor.reply.id: editor.draft for editor in editors}
        drafts += [Draft(text, None, reply) for reply, text in begun.items() if text.strip()]
        self._desk.drafts.keep(drafts, self._service.who)

    # -- showing -----------------------------------------------------------------------------------
    async def open(self, conversation: int | None, at: int | None = None) -> None:
        """Show a conversation, from the turn *at* on if it lies far back; None is a new one, that has no row until
        something is said. What was being written stays with the conversation it was written in."""
        if conversation != self.conversation:
            self._drafts[self.conversation] = self.composer.text
            self.composer.write(self._drafts.pop(conversation, ""))
        self.conversation = conversation
        turns, earlier, later = self._window(at)
        await self.transcript.load(turns, earlier=earlier, later=later, empty=spoken(self, EMPTY))
        await self._show_writing()
        if at is not None:
            if self.transcript.reply(at) is not None:
                self.transcript.mark(at)
            self.call_after_refresh(self.transcript.show_turn, at)
        self.follows.refresh()

    async def _show_writing(self) -> None:
        """The reply that is being written here, if the latest turns are shown."""
        exchange = self.talk.current
        if exchange is None or exchange.reply is None or exchange.conversation != self.conversation:
            return
        if self.transcript.at_end:
            await self.transcript.begin_reply(self._desk.conversations.turn(exchange.reply), exchange.text)

    def _window(self, at: int | None) -> tuple[list[Turn], bool, bool]:
        """The latest turns, or those around the turn *at*; whether there are earlier and later ones."""
        turns = self._latest(WINDOW)
        if at is None or not turns or len(turns) <= WINDOW or turns[-WINDOW].id <= at:
            return turns[-WINDOW:], len(turns) > WINDOW, False
        conversations, half = self._desk.conversations, WINDOW // 2
        before = conversations.turns(turns[0].conversation_id, limit=half + 1, before_id=at)
        after = conversations.turns(turns[0].conversation_id, limit=half + 1, after_id=at - 1)
        return [*before[-half:], *after[:half]], len(before) > half, len(after) > half

    def _latest(self, count: int) -> list[Turn]:
        """The latest *count* turns and one more, if there are so many."""
        if self.conversation is None:
            return []
        return self._desk.conversations.turns(self.conversation, limit=count + 1)

    @on(Transcript.EarlierWanted)
    async def _show_earlier(self) -> None:
        if self.conversation is not None and (first := self.transcript.first) is not None:
            turns = self._desk.conversations.turns(self.conversation, limit=WINDOW + 1, before_id=first)
            await self.transcript.show_before(turns[-WINDOW:], earlier=len(turns) > WINDOW)

    @on(Transcript.LaterWanted)
    async def _show_later(self) -> None:
        if self.conversation is not None and (last := self.transcript.last) is not None:
            turns = self._desk.conversations.turns(self.conversation, limit=WINDOW + 1, after_id=last)
            await self.transcript.show_after(turns[:WINDOW], later=len(turns) > WINDOW)
            await self._show_writing()

    @on(ConversationList.Chosen)
    async def _open_chosen(self, event: ConversationList.Chosen) -> None:
        await self.open(event.conversation_id)
        self.composer.focus()

    @on(ConversationList.Narrowed)
    def _narrow(self, event: ConversationList.Narrowed) -> None:
        self.follows.refresh_list(after=TYPING_PAUSE if event.typing else 0.0)

    @on(ConversationList.FirstWanted)
    async def _open_first(self) -> None:
        if found := await self.follows.relist():
            await self.open(found[0])
            self.composer.focus()

    async def action_new(self) -> None:
        """Begin a new conversation."""
        await self.open(None)
        self.composer.focus()

    def action_search(self) -> None:
        """Find what was said."""
        self.app.push_screen(SearchDialog(self._desk.search.turns), self._open_found)

    async def _open_found(self, turn: Turn | None) -> None:
        if turn is not None:
            await self.open(turn.conversation_id, at=turn.id)

    def action_conversations(self) -> None:
        """Go to the list; from the list, to its filter."""
        conversations = self.query_one(ConversationList)
        if conversations.rows.has_focus:
            conversations.action_filter()
        else:
            conversations.focus_list()

    def action_show_list(self) -> None:
        """Choose which conversations are listed."""
        self.query_one(ConversationList).action_show_list()

    @property
    def meant(self) -> int | None:
        """The conversation that an action is about: the highlighted one in the list, else the open one."""
        return self.query_one(ConversationList).pointed or self.conversation

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

    @on(Talk.Said)
    async def _said(self, message: Talk.Said) -> None:
        exchange, event = message.exchange, message.event
        if isinstance(event, ReplyDelta):
            exchange.text += event.text
        elif isinstance(event, ReplyFinished):
            self._finished(exchange, event)
        if self.conversation == exchange.conversation:
            await self._show(exchange, event)

    async def _show(self, exchange: Exchange, event: object) -> None:
        if isinstance(event, MessageKept | ReplyStarted) and not self.transcript.at_end:
            await self.open(exchange.conversation)  # what is said now belongs below the latest turns
        elif isinstance(event, MessageKept):
            await self.transcript.add_customer(event.turn)
            keeper = self._service.keeper
            if keeper.purpose is not None or keeper.state.name not in ("ready", "busy"):
                await self.transcript.remark(f"{keeper.state.sentence} The reply follows.", WAITING)
            self.follows.refresh()
        elif isinstance(event, ReplyStarted):
            await self.transcript.take_away(WAITING)
            await self.transcript.begin_reply(event.turn, exchange.text)
        elif isinstance(event, ReplyDelta):
            await self.transcript.extend_reply(exchange.reply or 0, event.text)
        elif isinstance(event, ReplyFinished):
            await self.transcript.finish_reply(event.turn)

    def _finished(self, exchange: Exchange, event: ReplyFinished) -> None:
        if event.sentence:
            self.notify(event.sentence, severity="warning", markup=False, timeout=8)
        if event.turn.reply is not None and event.turn.reply.state != "complete":
            self._give_back(exchange)

    def _give_back(self, exchange: Exchange) -> None:
        """The message was not answered: its text is there to be sent again."""
        if self.conversation == exchange.conversation:
            self.composer.offer(exchange.message)
        else:
            self._drafts[exchange.conversation] = self._drafts.get(exchange.conversation) or exchange.message

    @on(Talk.Ended)
    async def _ended(self, message: Talk.Ended) -> None:
        exchange = message.exchange
        self.talk.current = None
        if exchange.reply is None:
            self._give_back(exchange)
        if message.trouble is not None:
            self.notify(message.trouble, severity="error", markup=False, timeout=10)
        if self.conversation == exchange.conversation:
            await self.transcript.take_away(WAITING)
            if exchange.reply is not None:
                await self.transcript.finish_reply(self._desk.conversations.turn(exchange.reply))
        self.refresh_bindings()

    async def action_stop(self) -> None:
        """Stop the reply."""
        await self.talk.stop()

    def action_write(self) -> None:
        """Go back to writing."""
        self.composer.focus()

    def action_again(self, preset: str | None = None) -> None:
        """Answer the marked reply's message once more (or the last message, if it has no reply)."""
        if (message := self._marked_message()) is None or self.talk.current is not None:
            return
        try:
            self.talk.again(message, preset)
        except DeskError as error:
            self.notify(error.sentence, severity="warning", markup=False)
        self.refresh_bindings()

    def action_again_otherwise(self) -> None:
        """Answer once more with the preset that the marked reply was not made with."""
        if (reply := self._marked_turn()) is not None:
            self.action_again(self.reuses.other_preset(reply))

    def _marked_message(self) -> int | None:
        """The message that the marked reply answers; the last one, if that has no reply and no other is marked."""
        reply, latest = self._marked_turn(), self._latest(0)
        message = reply.in_reply_to if reply is not None else None
        if latest and latest[-1].role == "customer" and self.transcript.last_is_marked:
            message = latest[-1].id
        return message

    # -- taking up again ---------------------------------------------------------------------------
    @on(Composer.HistoryWanted)
    def _recall(self, event: Composer.HistoryWanted) -> None:
        self.composer.recall(event.by, self._desk.conversations.said_by(self._service.who))

    def action_resend(self) -> None:
        """Edit a copy of the marked reply's message."""
        if (message := self._marked_message()) is not None:
            self.reuses.resend(self._desk.conversations.turn(message))

    def action_copy(self) -> None:
        """Copy what is selected on the screen, else the marked reply."""
        if selected := self.get_selected_text():
            self.app.copy_to_clipboard(clean(selected))
        elif (reply := self._marked_turn()) is not None:
            self.reuses.copy(reply)

    def action_copy_code(self) -> None:
        """Copy the code in the marked reply."""
        if (reply := self._marked_turn()) is not None:
            self.reuses.copy_code(reply)

    def action_quote(self) -> None:
        """Quote the marked reply."""
        if (reply := self._marked_turn()) is not None:
            self.reuses.quote(reply)

    def action_edit_outside(self) -> None:
        """Write on in another editor."""
        self.reuses.edit_outside()

    # -- judging -----------------------------------------------------------------------------------
    def _marked_turn(self) -> Turn | None:
        marked = self.transcript.marked
        return None if marked is None else self._desk.conversations.turn(marked)

    @on(Composer.MarkMoved)
    def _move_mark(self, event: Composer.MarkMoved) -> None:
        self.action_mark(event.by)

    def action_mark(self, by: int) -> None:
        """Mark the reply before or after."""
        self.transcript.action_mark(by)

    @on(BotTurn.Marked)
    def _marked(self) -> None:
        self.refresh_bindings()

    def action_correct(self) -> None:
        """Open the editor for the marked reply."""
        reply = self._marked_turn()
        if reply is not None and reply.in_reply_to is not None:
            self._write_correction(self._desk.conversations.turn(reply.in_reply_to), reply)

    def _write_correction(self, message: Turn, reply: Turn, begun: str | None = None) -> None:
        async def keep(text: str | None) -> None:
            kept = text is None or await self.follows.judged(reply.id, lambda: self._service.correct(reply.id, text))
            if not kept:
                self._write_correction(message, reply, text)

        begun = begun or self._begun.pop(reply.id, None)
        self.app.push_screen(CorrectionEditor(message, reply, begun, self._service.parts.pairs.length_words()), keep)

    async def action_approve(self) -> None:
        """Approve the marked reply."""
        if (marked := self.transcript.marked) is not None:
            await self.follows.judged(marked, lambda: self._service.approve(marked))

    async def action_take_back(self) -> None:
        """Take the judgement of the marked reply back."""
        if (marked := self.transcript.marked) is not None:
            await self.follows.withdrawn(marked)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if not self.is_mounted:
            return True
        writing = self.talk.current is not None
        if action in ("correct", "approve"):
            return not writing and self.transcript.marked is not None
        if action == "take_back":
            reply = None if writing else self._marked_turn()
            return reply is not None and reply.reply is not None and reply.reply.judged
        if action == "stop":
            return writing
        if action == "again":
            return not writing and self.conversation is not None
        if action == "again_otherwise":
            return not writing and self.transcript.marked is not None
        if action in ("copy", "copy_code", "quote"):
            return self.transcript.marked is not None
        if action == "resend":
            return self.conversation is not None
        return True
