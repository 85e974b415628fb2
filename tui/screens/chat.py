"""The chat: a conversation, and the desk around it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from finetune.endings import JUDGED
from finetune.events import Done
from store.records import Turn
from store.words import RunState
from tui import requests as ask
from tui.core import (
    MessageKept,
    ReplyJudged,
    RunProgress,
    StoreChanged,
    VersionChanged,
    turns,
)
from tui.core.conversations import Draft, Show
from tui.core.drafts import Drafts
from tui.core.facts import DeskFacts
from tui.core.judging import Judging
from tui.core.open_desk import OpenDesk
from tui.keymap import spoken
from tui.keys import CHAT
from tui.messages import ConversationArchived, ConversationWanted, DeskChanged, KeysChanged, Requested
from tui.screens.conversation import ConversationScreen
from tui.screens.correction import CorrectionEditor
from tui.screens.search import SearchDialog
from tui.talk import Talk
from tui.widgets.composer import Composer
from tui.widgets.conversations import ConversationList, row_of
from tui.widgets.keybar import KeyBar
from tui.widgets.rows import Row
from tui.widgets.status import QualityLine, RunLine, StatusBar
from tui.widgets.transcript import Transcript


class ChatScreen(ConversationScreen):
    """Where operators spend their day."""

    BINDINGS: ClassVar[list[BindingType]] = list(CHAT)

    def __init__(self, desk: OpenDesk, facts: DeskFacts, judging: Judging, drafts: Drafts) -> None:
        super().__init__(desk, drafts)
        self._facts, self._judging = facts, judging
        self._drawing = False

    def compose(self) -> ComposeResult:
        """Status on top, list and transcript in the middle, composer and keys below."""
        yield StatusBar(id="status")
        with Horizontal(id="middle"):
            yield ConversationList(self._fitting, self._rows)
            with Vertical(id="talk"):
                yield Transcript()
                yield QualityLine()
                yield RunLine()
                yield Composer()
        yield KeyBar()

    async def on_mount(self) -> None:
        """Open the latest conversation, with what was being written when the app was left."""
        self.name_keys()
        latest = self._latest()
        drafts = self.drafts.take()
        if any(draft.reply is not None or draft.conversation != latest for draft in drafts):
            self.notify("What you were writing when the app closed is back where you wrote it.")
        composer = self.composer
        composer.write(self.drafts.message(None))
        self.drafts.follow(lambda: Draft(composer.text, self.conversation))
        self._facts.listen(self._draw_facts_soon)
        await self.open(latest)
        composer.focus()

    @on(KeysChanged)
    def name_keys(self) -> None:
        """Name the keys in force where that always stands."""
        super().name_keys()
        self.conversations.name_keys()
        self._draw_facts_soon()

    # -- the desk around it ------------------------------------------------------------------------
    def _draw_facts_soon(self) -> None:
        """Draw once for all that changes in one go."""
        if not self._drawing:
            self._drawing = True
            self.call_later(self._draw_facts)

    def _draw_facts(self) -> None:
        self._drawing = False
        if self.is_attached:
            self.query_one(StatusBar).draw(self._facts.status)
            self.query_one(QualityLine).draw(self._facts.standing)
            self.query_one(RunLine).draw(self._facts.run)

    @on(DeskChanged)
    async def _follow(self, event: DeskChanged) -> None:
        """Versions, runs, judgements, other apps."""
        match event.change:
            case VersionChanged() as change:
                await self._remark_swap(change)
            case RunProgress(event=entry):
                if not isinstance(entry.event, Done):
                    return  # steps come often and change no key
                self._show_verdict(entry.run_id, entry.event.state)
            case StoreChanged():
                await self._catch_up()
            case ReplyJudged() as change:
                await self._show_judgement(change)
        self.refresh_bindings()

    async def _remark_swap(self, change: VersionChanged) -> None:
        if (name := self._facts.swapped(change)) is not None:
            self.notify(f"{name} answers now.", title="Another version", markup=False, timeout=8)
            await self.transcript.remark(f"— {name} answers from here on ({change.seconds * 1000:.0f} ms) —")

    def _show_verdict(self, run: int, state: RunState) -> None:
        """Have the report opened, unless that would disturb somebody who is writing; the run line says it, too."""
        if state in JUDGED and self.is_current and not self.composer.text and self.talk.current is None:
            self.post_message(Requested(ask.ShowVerdict(run)))

    async def _catch_up(self) -> None:
        """The desk was written to by another app, or in another screen."""
        self.conversations.refresh_list()
        if self._facts.erased_since():
            await self.open(self.conversation)  # what was said is not what it was, also far above
        pending = self.talk.current
        if self.conversation is None or (pending is not None and pending.conversation == self.conversation):
            return
        await self.transcript.follow(turns.latest(self.desk.conversations, self.conversation).turns)

    async def _show_judgement(self, change: ReplyJudged) -> None:
        await self.transcript.redraw(self.desk.conversations.turn(change.reply))
        self.conversations.refresh_list()
        if not change.queued:
            self.notify(spoken(self, change.sentence), markup=False, timeout=3)

    @on(Talk.Happened)
    def _list_message(self, message: Talk.Happened) -> None:
        """A message moves its conversation to the top of the list."""
        if isinstance(message.event, MessageKept):
            self._refresh()

    def _refresh(self) -> None:
        """Everything but the transcript. A first message makes the conversation that is open."""
        self.conversations.current = self.conversation
        self.conversations.refresh_list()
        self._facts.refresh()
        self.refresh_bindings()

    # -- conversations -----------------------------------------------------------------------------
    @property
    def conversations(self) -> ConversationList:
        """The list."""
        return self.query_one(ConversationList)

    @property
    def meant(self) -> int | None:
        """The conversation that an action is about: the highlighted one in the list, else the open one."""
        return self.conversations.pointed or self.conversation

    def _latest(self) -> int | None:
        """The conversation that was spoken in last."""
        latest = self.desk.conversations.latest()
        return None if latest is None else latest.id

    def _fitting(self, show: Show, words: str) -> Awaitable[list[int]]:
        return self.desk.conversations.ids(show, words)

    def _rows(self, numbers: Sequence[int]) -> dict[int, Row]:
        return {row.conversation.id: row_of(row) for row in self.desk.conversations.rows(numbers)}

    async def open(self, conversation: int | None, at: int | None = None) -> None:
        """Show a conversation, and what is to be seen of the desk around it."""
        await super().open(conversation, at)
        self._refresh()

    @on(ConversationList.Chosen)
    async def _open_chosen(self, event: ConversationList.Chosen) -> None:
        await self.open(event.conversation_id)
        self.composer.focus()

    @on(ConversationWanted)
    async def _open_wanted(self, event: ConversationWanted) -> None:
        await self.open(event.conversation, at=event.at)

    @on(ConversationArchived)
    async def _leave_archived(self, event: ConversationArchived) -> None:
        if event.conversation == self.conversation:
            await self.open(self._latest())

    async def action_new(self) -> None:
        """Begin a new conversation."""
        await self.open(None)
        self.composer.focus()

    def action_search(self) -> None:
        """Find what was said."""
        self.app.push_screen(SearchDialog(self.desk.conversations.search), self._open_found)

    async def _open_found(self, turn: Turn | None) -> None:
        if turn is not None:
            await self.open(turn.conversation_id, at=turn.id)

    def action_conversations(self) -> None:
        """Go to the list; from the list, to its filter."""
        if self.conversations.rows.has_focus:
            self.conversations.action_filter()
        else:
            self.conversations.focus_list()

    def action_show_list(self) -> None:
        """Choose which conversations are listed."""
        self.conversations.action_show_list()

    def action_rename(self) -> None:
        """Give a conversation another title."""
        self.post_message(Requested(ask.Rename(self.meant)))

    def action_archive(self) -> None:
        """Off the list, or back into it."""
        self.post_message(Requested(ask.Archive(self.meant)))

    def action_export_conversation(self) -> None:
        """Write a conversation to a file."""
        self.post_message(Requested(ask.ExportConversation(self.meant)))

    def action_forget(self) -> None:
        """Erase what somebody said."""
        self.post_message(Requested(ask.Forget("conversation", self.meant)))

    # -- replies -----------------------------------------------------------------------------------
    def action_compare(self) -> None:
        """Compare two versions."""
        self.post_message(Requested(self._comparison))

    def action_versions(self) -> None:
        """Every version of the bot."""
        self.post_message(Requested(ask.ShowVersions(self._comparison)))

    @property
    def _comparison(self) -> ask.Compare:
        """On what is to be seen here."""
        return ask.Compare(self.transcript.marked, self.conversation)

    def action_details(self) -> None:
        """Details of the marked reply."""
        self.post_message(Requested(ask.ShowDetails(self.transcript.marked)))

    def action_who_taught(self) -> None:
        """What taught the marked reply."""
        self.post_message(Requested(ask.WhoTaught(self.transcript.marked)))

    def action_correct(self) -> None:
        """Open the editor for the marked reply."""
        reply = self.marked_reply
        if reply is not None and reply.in_reply_to is not None:
            message, number = self.desk.conversations.turn(reply.in_reply_to), reply.id

            def keep(text: str) -> bool:
                return self._judging.correct(number, text) == "kept"

            self.app.push_screen(CorrectionEditor(message, reply, keep, self.desk.pairs.length_words(), self.drafts))

    def action_approve(self) -> None:
        """Approve the marked reply."""
        if (marked := self.transcript.marked) is not None:
            self._judging.approve(marked)

    def action_reject(self) -> None:
        """Mark the marked reply as wrong."""
        if (marked := self.transcript.marked) is not None:
            self._judging.reject(marked)

    def action_take_back(self) -> None:
        """Undo the judgement of the marked reply."""
        if (marked := self.transcript.marked) is not None:
            self._judging.withdraw(marked)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if not self.is_mounted:
            return True
        writing, marked = self.talk.current is not None, self.transcript.marked is not None
        match action:
            case "stop":
                return writing
            case "correct" | "approve" | "reject" | "again_otherwise":
                return not writing and marked
            case "take_back":
                reply = None if writing else self.marked_reply
                return reply is not None and reply.reply is not None and reply.reply.judged
            case "again":
                return not writing and self.conversation is not None
            case "copy" | "copy_code" | "quote":
                return marked
            case "resend":
                return self.conversation is not None
        return True
