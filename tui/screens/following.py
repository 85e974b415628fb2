"""What the chat shows of the desk around it: the list, the status line, the run, and what others did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from finetune.events import Done
from store.records import Pair
from store.words import BASE
from tui.core import (
    DeskChange,
    DeskError,
    DeskService,
    EngineChanged,
    RunProgress,
    StoreChanged,
    VersionChanged,
)
from tui.keymap import spoken
from tui.keys import key_name
from tui.widgets.conversations import ConversationList, row_of
from tui.widgets.rows import Row
from tui.widgets.status import QualityLine, RunLine, StatusBar
from tui.widgets.transcript import WINDOW

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

ROLL_BACK = "app.tell('roll_back')"


class Following:
    """Keeps one chat screen up to date."""

    def __init__(self, service: DeskService, chat: ChatScreen) -> None:
        self._service, self._chat = service, chat
        self.quality = service.parts.quality
        self._looking = False
        self._answering = service.active  # what the operator knows to be answering
        self._erasures = service.desk.erasing.count()

    def refresh(self) -> None:
        """Everything but the transcript."""
        self.refresh_list()
        self.refresh_status()
        self._chat.refresh_bindings()

    def refresh_list(self, after: float = 0.0) -> None:
        """The conversations, as far as the filter lets them through, read beside the event loop. *after*: seconds to
        wait first; each call makes an earlier one that waits needless."""
        work = partial(self._relist, after)
        _: Worker[None] = self._chat.run_worker(work, name="list", group="list", exclusive=True, exit_on_error=False)

    async def _relist(self, after: float) -> None:
        await asyncio.sleep(after)
        await self.relist()

    async def relist(self) -> list[int]:
        """List the conversations that fit now; returns their numbers, the latest first."""
        widget = self._chat.query_one(ConversationList)
        show, words, who = widget.shown, widget.query_text, self._service.who
        ids = await self._service.reader.read(lambda desk: desk.listing.ids(show, words, who))
        if (show, words) == (widget.shown, widget.query_text):
            widget.show(ids, self._rows, self._chat.conversation)
        return ids

    def _rows(self, numbers: Sequence[int]) -> dict[int, Row]:
        return {row.conversation.id: row_of(row) for row in self._service.desk.listing.rows(numbers)}

    def refresh_status(self) -> None:
        """Who answers, the engine's state, and what waits."""
        keeper = self._service.keeper
        running = keeper.state.name in ("ready", "busy")
        standing = self.quality.standing
        self._chat.query_one(StatusBar).show(
            desk=self._service.home.root.name,
            # While the engine is lent for a comparison, other versions than the chat's take turns on it.
            version=keeper.serving if running and keeper.purpose is None else self._service.active,
            engine="lent" if keeper.held else "comparing" if keeper.purpose else keeper.state.name,
            waiting=self._service.waiting(),
            advice=self.quality.advice,
            retrain_key=spoken(self._chat, "{desk.retrain}"),
            rate=standing.rate,
        )
        self._chat.query_one(QualityLine).tell(standing, self._key_of(ROLL_BACK, "A rollback"))
        if self.quality.stale and not self._looking:
            self._looking = True
            self._chat.run_worker(self._look_at_quality(), name="quality", exit_on_error=False)

    async def _look_at_quality(self) -> None:
        """Look up how often replies are corrected and whether to retrain, and show it."""
        try:
            await self.quality.refresh()
        finally:
            self._looking = False
        self.refresh_status()

    def _key_of(self, action: str, otherwise: str) -> str:
        """The key of an action, as the settings have it."""
        keys = self._chat.active_bindings.items()
        return next((key_name(key) for key, active in keys if active.binding.action == action), otherwise)

    async def changed(self, change: DeskChange) -> None:
        """Engine, versions, runs, other apps."""
        if isinstance(change, EngineChanged):
            self.refresh_status()
        elif isinstance(change, VersionChanged):
            self.refresh_status()
            await self._swapped(change)
        elif isinstance(change, RunProgress):
            self._chat.query_one(RunLine).follow(change.event.event)
            if not isinstance(change.event.event, Done):
                return  # steps come often and change no key
            self.refresh_status()
        elif isinstance(change, StoreChanged):
            await self.catch_up()
        self._chat.refresh_bindings()

    async def catch_up(self) -> None:
        """The desk was written to elsewhere: by another app, or in another screen."""
        self.refresh_list()
        self.refresh_status()
        if (erasures := self._service.desk.erasing.count()) != self._erasures:
            self._erasures = erasures  # what was said is not what it was, also far above
            await self._chat.open(self._chat.conversation)
        await self._others_said()

    async def _swapped(self, change: VersionChanged) -> None:
        """Announce another version, but not the one that was there before a restart."""
        if change.version == self._answering:
            return
        self._answering = change.version
        name = "The bare base" if change.version == BASE else change.version
        self._chat.notify(f"{name} answers now.", title="Another version", markup=False, timeout=8)
        await self._chat.transcript.remark(f"— {name} answers from here on ({change.seconds * 1000:.0f} ms) —")

    async def _others_said(self) -> None:
        conversation = self._chat.conversation
        exchange = self._chat.talk.current
        if conversation is None or (exchange is not None and exchange.conversation == conversation):
            return
        turns = self._service.desk.conversations.turns(conversation, limit=WINDOW)
        await self._chat.transcript.follow(turns)

    async def judged(self, reply_id: int, judge: Callable[[], Pair]) -> bool:
        """Keep a judgement and show it, or say why it can't be kept; returns whether it is."""
        try:
            pair = judge()
        except DeskError as error:
            self._chat.notify(error.sentence, severity="warning", markup=False)
            return False
        word = (
            "The correction is kept. It trains at the next {desk.retrain}."
            if pair.source == "correction"
            else "Approved."
        )
        word = spoken(self._chat, word + " {desk.take_back} takes it back.")
        await self._show_judgement(reply_id, word)
        return True

    async def withdrawn(self, reply_id: int) -> None:
        """Take a judgement back and show it, or say why it can't be taken back."""
        try:
            turn = self._service.withdraw(reply_id)
        except DeskError as error:
            self._chat.notify(error.sentence, severity="warning", markup=False)
            return
        reply = turn.reply
        word = "corrected" if reply and reply.correction else "approved" if reply and reply.approved else "not judged"
        await self._show_judgement(reply_id, f"Taken back. The reply is {word} now.")

    async def _show_judgement(self, reply_id: int, sentence: str) -> None:
        await self._chat.transcript.finish_reply(self._service.desk.conversations.turn(reply_id))
        self._chat.notify(sentence, markup=False, timeout=3)
        self.refresh_list()
        self.refresh_status()
        self._chat.refresh_bindings()
