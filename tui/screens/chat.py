"""The chat: conversations, transcript, composer, and what is always in view."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from store.records import Turn
from tui.core import (
    DeskError,
    DeskService,
    EngineChanged,
    MessageKept,
    ReplyDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    RunProgress,
    StoreChanged,
    VersionChanged,
)
from tui.keys import CHAT
from tui.messages import DeskChanged
from tui.screens.correction import CorrectionEditor
from tui.screens.search import SearchDialog
from tui.widgets.composer import Composer
from tui.widgets.conversations import ConversationList
from tui.widgets.status import RunLine, StatusBar
from tui.widgets.transcript import WINDOW, Transcript
from tui.widgets.turns import BotTurn

EMPTY = "Nothing was said yet. Write as a customer would and press Enter."
LISTED = 200  # conversations in the list; search finds the others


class ChatScreen(Screen[None]):
    """Where operators spend their day."""

    BINDINGS: ClassVar[list[BindingType]] = list(CHAT)

    class Asked(Message):
        """The operator asked for something that concerns more than this screen: ``what`` names it."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self, service: DeskService) -> None:
        super().__init__()
        self._service = service
        self.conversation: int | None = None
        self._writing: int | None = None  # the reply that streams

    def compose(self) -> ComposeResult:
        """Status on top, list and transcript in the middle, composer and keys below."""
        yield StatusBar(id="status")
        with Horizontal(id="middle"):
            yield ConversationList()
            with Vertical(id="talk"):
                yield Transcript()
                yield RunLine()
                yield Composer()
        yield Footer()

    async def on_mount(self) -> None:
        """Open the latest conversation."""
        latest = self._service.desk.conversations.list(limit=1)
        await self.open(latest[0].id if latest else None)
        self.query_one(Composer).focus()

    # -- showing -----------------------------------------------------------------------------------
    async def open(self, conversation: int | None) -> None:
        """Show a conversation; None is a new one, that has no row until something is said."""
        self.conversation = conversation
        turns: list[Turn] = []
        if conversation is not None:
            turns = self._service.desk.conversations.turns(conversation, limit=WINDOW + 1)
        await self.query_one(Transcript).load(turns[-WINDOW:], earlier=len(turns) > WINDOW, empty=EMPTY)
        self.refresh_list()
        self.refresh_bindings()

    def refresh_list(self) -> None:
        """Show conversations and status as they are now."""
        shown = self._service.desk.conversations.list(limit=LISTED)
        self.query_one(ConversationList).show(shown, self.conversation)
        self.refresh_status()

    def refresh_status(self) -> None:
        """Show who answers, the engine's state, and what waits."""
        keeper = self._service.keeper
        version = keeper.serving if keeper.state.name in ("ready", "busy") else self._service.active
        self.query_one(StatusBar).show(
            desk=self._service.home.root.name,
            version=version,
            engine=keeper.state.name,
            waiting=self._service.waiting(),
        )

    @on(Transcript.EarlierWanted)
    async def _show_earlier(self) -> None:
        assert self.conversation is not None
        shown = len(self.query_one(Transcript).children) - 1
        turns = self._service.desk.conversations.turns(self.conversation, limit=shown + WINDOW + 1)
        window = turns[-(shown + WINDOW) :]
        await self.query_one(Transcript).load(window, earlier=len(turns) > len(window), empty=EMPTY)
        self.query_one(Transcript).scroll_home(animate=False)

    @on(ConversationList.Chosen)
    async def _open_chosen(self, event: ConversationList.Chosen) -> None:
        await self.open(event.conversation_id)
        self.query_one(Composer).focus()

    # -- what changed elsewhere --------------------------------------------------------------------
    async def on_desk_changed(self, event: DeskChanged) -> None:
        """Engine, versions, runs, other apps."""
        change = event.change
        if isinstance(change, EngineChanged):
            self.refresh_status()
            self.refresh_bindings()
        elif isinstance(change, VersionChanged):
            self.refresh_status()
            await self.query_one(Transcript).remark(_swap_sentence(change))
        elif isinstance(change, RunProgress):
            self.query_one(RunLine).tell(change.event.kind, change.event.body)
            if change.event.kind == "done":
                self.refresh_status()
            self.refresh_bindings()
        elif isinstance(change, StoreChanged):
            self.refresh_list()

    # -- talking -----------------------------------------------------------------------------------
    @on(Composer.Sent)
    def _send(self, event: Composer.Sent) -> None:
        if self._writing is not None:
            self.query_one(Composer).put_back(event.text)
            self.notify("The bot is still writing. Wait for it, or stop it with Escape.", markup=False)
            return
        conversations = self._service.desk.conversations
        if self.conversation is None:
            self.conversation = conversations.create(self._service.who).id
        try:
            events = self._service.send(self.conversation, event.text)
        except DeskError as error:
            self.query_one(Composer).put_back(event.text)
            self.notify(error.sentence, severity="warning", markup=False)
            return
        self._follow(events, self.conversation, event.text)

    def _follow(self, events: AsyncIterator[ReplyEvent], conversation: int, text: str) -> None:
        self._writing = 0
        self.refresh_bindings()
        self.app.run_worker(self._show_exchange(events, conversation, text), name="exchange", exit_on_error=False)

    async def _show_exchange(self, events: AsyncIterator[ReplyEvent], conversation: int, text: str) -> None:
        """Show the events of one exchange, as long as its conversation is the one on the screen."""
        transcript = self.query_one(Transcript)
        try:
            async for event in events:
                here = self.conversation == conversation
                if isinstance(event, ReplyStarted):
                    self._writing = event.turn.id
                if isinstance(event, ReplyFinished):
                    self._finished(event, text)
                if not here:
                    continue
                if isinstance(event, MessageKept):
                    await transcript.add_customer(event.turn)
                    self.refresh_list()
                elif isinstance(event, ReplyStarted):
                    await transcript.begin_reply(event.turn)
                elif isinstance(event, ReplyDelta):
                    await transcript.extend_reply(self._writing or 0, event.text)
                else:
                    await transcript.finish_reply(event.turn)
        except DeskError as error:
            self.query_one(Composer).put_back(text)
            self.notify(error.sentence, severity="error", markup=False, timeout=10)
        finally:
            self._writing = None
            self.refresh_bindings()

    def _finished(self, event: ReplyFinished, text: str) -> None:
        if event.sentence:
            self.notify(event.sentence, severity="warning", markup=False, timeout=8)
        if event.turn.reply is not None and event.turn.reply.state != "complete":
            self.query_one(Composer).put_back(text)

    async def action_stop(self) -> None:
        """Stop the reply, or go back to writing."""
        if self._writing is not None:
            await self._service.stop()
        else:
            self.query_one(Composer).focus()

    def action_again(self) -> None:
        """Answer the marked reply's message once more (or the last message, if it has no reply)."""
        reply = self._marked_turn()
        message = reply.in_reply_to if reply is not None else self._last_message()
        if message is None or self._writing is not None or self.conversation is None:
            return
        text = self._service.desk.conversations.turn(message).text
        self._follow(self._service.regenerate(message), self.conversation, text)

    def _last_message(self) -> int | None:
        if self.conversation is None:
            return None
        turns = self._service.desk.conversations.turns(self.conversation, limit=1)
        return turns[-1].id if turns and turns[-1].role == "customer" else None

    async def action_new(self) -> None:
        """Begin a new conversation."""
        await self.open(None)
        self.query_one(Composer).focus()

    # -- judging -----------------------------------------------------------------------------------
    def _marked_turn(self) -> Turn | None:
        marked = self.query_one(Transcript).marked
        return None if marked is None else self._service.desk.conversations.turn(marked)

    def action_mark(self, by: int) -> None:
        """Mark the reply before or after."""
        self.query_one(Transcript).move_mark(by)

    def action_correct(self) -> None:
        """Open the editor for the marked reply."""
        reply = self._marked_turn()
        if reply is None or reply.in_reply_to is None:
            self.notify("There is no reply to correct yet.", markup=False)
            return
        message = self._service.desk.conversations.turn(reply.in_reply_to)
        self.app.push_screen(CorrectionEditor(message, reply), lambda text: self._keep_correction(reply.id, text))

    def _keep_correction(self, reply_id: int, text: str | None) -> None:
        if text is not None:
            self._judge(lambda: self._service.correct(reply_id, text), reply_id, "Kept. It trains at the next F5.")

    def action_approve(self) -> None:
        """Approve the marked reply."""
        if (reply := self._marked_turn()) is not None:
            self._judge(lambda: self._service.approve(reply.id), reply.id, "Approved.")

    def _judge(self, judge: object, reply_id: int, word: str) -> None:
        try:
            judge()  # type: ignore[operator]
        except DeskError as error:
            self.notify(error.sentence, severity="warning", markup=False)
            return
        self.query_one(Transcript).show_reply(self._service.desk.conversations.turn(reply_id))
        self.notify(word, markup=False, timeout=3)
        self.refresh_status()
        self.refresh_bindings()

    @on(BotTurn.Marked)
    def _marked(self) -> None:
        self.refresh_bindings()

    # -- elsewhere ---------------------------------------------------------------------------------
    def action_search(self) -> None:
        """Find what was said."""
        self.app.push_screen(SearchDialog(self._service.desk.search.turns), self._open_found)

    async def _open_found(self, conversation: int | None) -> None:
        if conversation is not None:
            await self.open(conversation)

    def action_conversations(self) -> None:
        """Focus the list."""
        self.query_one(ConversationList).focus()

    def _ask(self, what: str) -> None:
        self.post_message(self.Asked(what))

    def action_retrain(self) -> None:
        """Ask for a retraining."""
        self._ask("retrain")

    def action_training(self) -> None:
        """Ask for the training screen."""
        self._ask("training")

    def action_versions(self) -> None:
        """Ask for the versions."""
        self._ask("versions")

    def action_roll_back(self) -> None:
        """Ask for a rollback."""
        self._ask("roll_back")

    def action_settings(self) -> None:
        """Ask for the settings."""
        self._ask("settings")

    def action_import_file(self) -> None:
        """Ask for an import."""
        self._ask("import")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if not self.is_mounted:
            return True
        if action in ("correct", "approve", "mark"):
            return self._writing is None and self.query_one(Transcript).marked is not None
        if action == "again":
            return self._writing is None and self.conversation is not None
        if action == "stop":
            return True if self._writing is not None else None
        if action == "retrain":
            return self._service.live_run is None
        if action == "training":
            return bool(self._service.desk.runs.list(limit=1))
        if action == "roll_back":
            return self._service.desk.promotions.rollback_target() is not None
        return True


def _swap_sentence(change: VersionChanged) -> str:
    name = "The bare base" if change.version == "base" else change.version
    return f"— {name} answers from here on (the swap took {change.seconds * 1000:.0f} ms) —"
