"""The review queue by real keys."""

from __future__ import annotations

from store.conversations import Measured
from store.desk import Desk
from store.words import Version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.correction import CorrectionEditor
from tui.screens.review import ReviewScreen

SIZE = (80, 24)


def ask(desk: Desk, *questions: str) -> list[int]:
    """One reply to each question, in a conversation of its own; of the last the bot was least certain."""
    replies = []
    for place, question in enumerate(questions):
        message = desk.conversations.add_customer(desk.conversations.create("jo").id, question, "jo")
        reply = desk.conversations.begin_reply(message.id, Version("v1"), {})
        desk.conversations.finish_reply(reply.id, f"About {question}", "complete", Measured(certainty=-0.1 - place))
        replies.append(reply.id)
    return replies


async def test_one_key_each_and_straight_to_the_next(app: DeskloopApp, open_desk: OpenDesk) -> None:
    first, second, third = ask(store_of(open_desk), "one?", "two?", "three?")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "0 of 3 judged today · 3 left · the oldest first"))
        assert shows(app, "About one?")
        assert shows(app, "Bot · v1 · sure, 90%")
        await pilot.press("a")
        await wait_until(pilot, lambda: shows(app, "About two?") and shows(app, "1 of 3 judged today · 2 left"))
        await pilot.press("c")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        await write(pilot, " At nine.")
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: shows(app, "About three?") and shows(app, "2 of 3 judged today · 1 left"))
        await pilot.press("s")
        await wait_until(pilot, lambda: shows(app, "Every reply has been judged") and shows(app, "2 of 2 judged today"))
        assert not shows(app, "A Approve")
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "About three?"))
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "About two?"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert store_of(open_desk).pairs.list(source="correction") == []
        assert [store_of(open_desk).review.waits(reply) for reply in (first, second, third)] == [False, True, True]


async def test_the_least_certain_first_and_into_the_conversation(app: DeskloopApp, open_desk: OpenDesk) -> None:
    replies = ask(store_of(open_desk), "one?", "two?", "three?")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+p", *"review", "enter")  # by name
        await wait_until(pilot, lambda: isinstance(app.screen, ReviewScreen) and shows(app, "About one?"))
        await pilot.press("o")
        await wait_until(pilot, lambda: shows(app, "the least certain first") and shows(app, "unsure, 12%"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.screen is app.chat and app.chat.transcript.marked == replies[2])


async def test_what_another_operator_judges_disappears(app: DeskloopApp, open_desk: OpenDesk) -> None:
    first, _, _ = ask(store_of(open_desk), "one?", "two?", "three?")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "About one?"))
        with Desk.open(open_desk.home) as other:
            other.judgements.correct(first, "Never.", "jo")
        await wait_until(pilot, lambda: shows(app, "About two?") and shows(app, "1 of 3 judged today"))
        assert [pair.output for pair in store_of(open_desk).pairs.list(source="correction")] == ["Never."]


async def test_judging_in_the_queue_is_seen_in_the_chat(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.said(store_of(open_desk), "Frost", ("Which pots?", "The red ones.", "v1", "complete"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "The red ones."))
        await pilot.press("f3", "escape")
        await wait_until(pilot, lambda: app.screen is app.chat and shows(app, "✓ approved"))


async def test_what_is_wrong_makes_room_and_comes_back_at_the_end(app: DeskloopApp, open_desk: OpenDesk) -> None:
    first, second = ask(store_of(open_desk), "one?", "two?")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "About one?") and shows(app, "W Wrong"))
        await pilot.press("w")
        await wait_until(pilot, lambda: shows(app, "About two?") and shows(app, "2 left, 1 wrong"))
        await pilot.press("a")
        await wait_until(pilot, lambda: shows(app, "About one?") and shows(app, "✗ wrong, not corrected yet"))
        assert not shows(app, "W Wrong")
        await pilot.press("s")  # nobody else is left
        await wait_until(pilot, lambda: shows(app, "About one?"))
        await pilot.press("u", "u")
        await wait_until(pilot, lambda: shows(app, "2 left · the oldest"))
        store = store_of(open_desk)
        assert [store.conversations.turn(reply).reply.judged for reply in (first, second)] == [False, False]  # type: ignore[union-attr]
