"""Comparing two versions, and looking into one reply."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from store.desk import Desk
from store.errors import OperatorError
from store.records import Turn
from store.versions.comparisons import Ballot
from store.words import BASE, Version
from tui.core import DeskError
from tui.core.compare import Comparison, of_conversation, of_file, of_heldout, of_question, shuffled
from tui.core.nearest import nearest
from tui.flows.stage import Stage
from tui.screens.compare import CompareScreen
from tui.screens.compare_setup import CompareSetup, Wanted
from tui.screens.reply_details import ReplyDetails
from tui.screens.versions import VersionsScreen

LONG = 300  # characters of a message shown in the form


async def compare(stage: Stage) -> None:
    """Ask what to compare, then show it as it is answered."""
    service = stage.service
    versions = [BASE, *(row.name for row in service.versions())]
    left, right = _sides(stage, versions)
    message = _marked_message(stage)
    wanted: Wanted | None = await stage.show(
        CompareSetup(
            versions,
            left,
            right,
            active=service.active,
            question=_in_short(message),
            conversation=stage.chat.conversation is not None,
            reach=service.reach,
        )
    )
    if wanted is None:
        return
    items = await _prepared(stage, wanted, message)
    await _show(stage, shuffled(items) if wanted.blind else items, blind=wanted.blind)


async def show_details(stage: Stage) -> None:
    """How the marked reply came to be."""
    message, marked = _marked_message(stage), stage.chat.transcript.marked
    if message is None or marked is None:
        raise DeskError("No reply is marked. Mark one with {desk.mark-up}, or with a click.")
    reply = stage.service.desk.conversations.turn(marked)
    version = reply.reply.version if reply.reply is not None else BASE
    look = stage.service.reader.read
    await stage.show(ReplyDetails(reply, lambda: look(lambda desk: nearest(desk, version, message.text))))


def _sides(stage: Stage, versions: list[Version]) -> tuple[Version, Version]:
    """What stands in the form at first: what answered before, and what answers; or the version marked in the table."""
    service = stage.service
    screen, active = stage.app.screen, service.active
    if isinstance(screen, VersionsScreen) and screen.marked is not None and screen.marked != active:
        return active, screen.marked
    before = service.desk.promotions.rollback_target()
    return next((name for name in (before, versions[-1], BASE) if name and name != active), BASE), active


def _marked_message(stage: Stage) -> Turn | None:
    """The customer's message that the marked reply answers."""
    marked = stage.chat.transcript.marked
    if marked is None:
        return None
    reply = stage.service.desk.conversations.turn(marked)
    return None if reply.in_reply_to is None else stage.service.desk.conversations.turn(reply.in_reply_to)


def _in_short(message: Turn | None) -> str:
    """A message as it stands in a field of one line; the whole of it is asked."""
    words = " ".join(message.text[:LONG].split()) if message is not None else ""
    return words if message is None or len(message.text) <= LONG else f"{words}…"


async def _prepared(stage: Stage, wanted: Wanted, message: Turn | None) -> list[Comparison]:
    """The questions; long sets are read in a thread."""
    desk, home = stage.service.desk, stage.service.home
    left, right = wanted.left, wanted.right
    if wanted.kind == "question":
        if message is not None and wanted.text == _in_short(message):
            return of_question(message.text, desk.conversations.history(message.id), left, right)
        return of_question(wanted.text, (), left, right)
    if wanted.kind == "file":
        return await asyncio.to_thread(of_file, stage.service.reach.to_read(wanted.text), left, right)
    conversation = stage.chat.conversation

    def read() -> list[Comparison]:
        with Desk.open(home) as own:
            if wanted.kind == "conversation" and conversation is not None:
                return of_conversation(own, conversation, right)
            return of_heldout(own, left, right)

    return await asyncio.to_thread(read)


async def _show(stage: Stage, items: list[Comparison], *, blind: bool) -> None:
    """Show *items* and have them answered meanwhile; who leaves, stops that."""
    service = stage.service

    def keep(item: Comparison) -> None:
        assert item.vote is not None
        versions, answers = (item.left.version, item.right.version), (item.left.text or "", item.right.text or "")
        ballot = Ballot(item.question, item.history, versions, answers, item.vote, blind)
        service.desk.comparisons.add(ballot, service.who)

    async def ask() -> None:
        try:
            await service.parts.comparisons.answer(items, screen.heard)
        except OperatorError as error:
            screen.ended(error.sentence)
        except asyncio.CancelledError:
            screen.ended("You stopped it.")
            raise
        else:
            screen.ended()

    def stop() -> None:
        asking.cancel()

    screen = CompareScreen(items, blind=blind, keep=keep, tally=service.desk.comparisons.tally, stop=stop)
    asking = asyncio.create_task(ask(), name="compare")
    try:
        await stage.show(screen)
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
