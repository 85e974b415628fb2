"""Comparing two versions, and looking into one reply."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from store.errors import OperatorError
from store.records import Turn
from store.words import BASE, Version
from tui import requests as ask
from tui.core import DeskError
from tui.core.compare import Comparison, shuffled
from tui.core.nearest import Said
from tui.flows.stage import Stage
from tui.screens.bisect import BisectScreen
from tui.screens.compare import CompareScreen
from tui.screens.compare_setup import CompareSetup, Offered, Wanted
from tui.screens.reply_details import ReplyDetails

LONG = 300  # characters of a message shown in the form
NONE_MARKED = "No reply is marked. Mark one with {desk.mark-up}, or click it."


async def compare(stage: Stage, request: ask.Compare) -> None:
    """Ask what to compare, then show it as it is answered."""
    desk = stage.desk
    versions = desk.versions.names()
    left, right = _sides(stage, versions, request.version)
    message = _message_of(stage, request.reply)
    wanted = await stage.open(
        CompareSetup(
            Offered(
                versions=versions,
                left=left,
                right=right,
                active=desk.promotions.active,
                question=_in_short(message),
                conversation=request.conversation is not None,
            ),
            desk.reach,
        )
    )
    if wanted is None:
        return
    items = await _prepared(stage, wanted, message, request.conversation)
    await _show(stage, shuffled(items) if wanted.blind else items, blind=wanted.blind)


async def show_details(stage: Stage, request: ask.ShowDetails) -> None:
    """Details of the marked reply."""
    if request.reply is None:
        raise DeskError(NONE_MARKED)
    reply = stage.desk.conversations.turn(request.reply)
    if reply.reply is not None and reply.reply.from_correction is not None:
        await stage.open(ReplyDetails(reply))  # nobody taught it: these are an operator's own words
        return
    said = stage.desk.bisect.said(request.reply)
    if await stage.open(ReplyDetails(reply, lambda: stage.desk.bisect.nearest(said))):
        await _bisect(stage, said)


async def who_taught(stage: Stage, request: ask.WhoTaught) -> None:
    """The pairs that taught the marked reply."""
    if request.reply is None:
        raise DeskError(NONE_MARKED)
    await _bisect(stage, stage.desk.bisect.said(request.reply))


async def _bisect(stage: Stage, said: Said) -> None:
    await stage.open(BisectScreen(stage.desk, said, await stage.desk.bisect.shortlist(said)))
    stage.store_changed()


def _sides(stage: Stage, versions: list[Version], marked: Version | None) -> tuple[Version, Version]:
    """What stands in the form at first: what answered before, and what answers; or the *marked* version."""
    active = stage.desk.promotions.active
    if marked is not None and marked != active:
        return active, marked
    before = stage.desk.promotions.target
    return next((name for name in (before, versions[-1], BASE) if name and name != active), BASE), active


def _message_of(stage: Stage, number: int | None) -> Turn | None:
    """The customer's message that a reply answers."""
    return None if number is None else stage.desk.conversations.answered_by(number)


def _in_short(message: Turn | None) -> str:
    """A message as it stands in a field of one line; the whole of it is asked."""
    words = " ".join(message.text[:LONG].split()) if message is not None else ""
    return words if message is None or len(message.text) <= LONG else f"{words}…"


async def _prepared(stage: Stage, wanted: Wanted, message: Turn | None, conversation: int | None) -> list[Comparison]:
    """The questions."""
    comparisons, left, right = stage.desk.comparisons, wanted.left, wanted.right
    if wanted.kind == "question":
        if message is not None and wanted.text == _in_short(message):
            history = stage.desk.conversations.history(message.id)
            return comparisons.of_question(message.text, history, left, right)
        return comparisons.of_question(wanted.text, (), left, right)
    if wanted.kind == "file":
        return await comparisons.of_file(stage.desk.reach.to_read(wanted.text), left, right)
    if wanted.kind == "conversation" and conversation is not None:
        return await comparisons.of_conversation(conversation, right)
    return await comparisons.of_heldout(left, right)


async def _show(stage: Stage, items: list[Comparison], *, blind: bool) -> None:
    """Show *items* and have them answered meanwhile; who leaves, stops that."""
    comparisons = stage.desk.comparisons

    def keep(item: Comparison) -> None:
        comparisons.keep(item, blind=blind)

    async def ask() -> None:
        try:
            await comparisons.answer(items, screen.heard)
        except OperatorError as error:
            screen.ended(error.sentence)
        except asyncio.CancelledError:
            screen.ended("You stopped it.")
            raise
        else:
            screen.ended()

    def stop() -> None:
        asking.cancel()

    screen = CompareScreen(items, blind=blind, keep=keep, tally=comparisons.tally, stop=stop)
    asking = asyncio.create_task(ask(), name="compare")
    try:
        await stage.open(screen)
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
