"""Comparing by keys: a question, blind votes, a conversation once more."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Select

from bot.engines.scripted import Script
from store.versions.comparisons import Tally
from store.words import BASE, Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, say, shows, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.compare import CompareScreen
from tui.screens.compare_setup import CompareSetup

SIZE = (100, 30)


def votes(open_desk: OpenDesk) -> list[tuple[str, str, str, int]]:
    rows = store_of(open_desk).db.all("SELECT version_left, version_right, vote, blind FROM comparisons ORDER BY id")
    return [tuple(row) for row in rows]


async def test_the_marked_question_is_answered_by_two_versions_and_voted_on(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("ctrl+t")
        await wait_until(pilot, lambda: isinstance(app.screen, CompareSetup) and shows(app, "when?"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, CompareScreen) and shows(app, "‹base› says: when?"))
        assert shows(app, "‹v1› says: when?")
        assert shows(app, "Left: base")
        await pilot.press("right")
        await wait_until(pilot, lambda: shows(app, "Right: v1 ✓ your vote"))
        await pilot.press("left")  # one vote each
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert votes(open_desk) == [("base", "v1", "right", 0)]
        assert len(store_of(open_desk).conversations.turns(1)) == 2


async def test_blind_names_are_hidden_until_the_vote(app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path) -> None:
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    questions = tmp_path / "q.jsonl"
    questions.write_text("".join(f'{{"instruction": "Q{n}", "output": "A{n}"}}\n' for n in range(6)))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+t")
        await wait_until(pilot, lambda: isinstance(app.screen, CompareSetup))
        app.screen.query_one("#kind", Select).value = "file"
        await pilot.pause()
        await write(pilot, str(questions))
        app.screen.query_one("#blind").focus()
        await pilot.press("space", "tab", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, CompareScreen) and shows(app, "Compare — 1 of 6, blind"))
        await wait_until(pilot, lambda: not shows(app, "Asking"))
        assert not shows(app, "Left: ")
        assert shows(app, "Wanted: A0")
        await pilot.press("l")
        await wait_until(pilot, lambda: shows(app, "Left: v1 ✓") or shows(app, "Left: base ✓"))
        await pilot.press("space", "n")
        await wait_until(pilot, lambda: shows(app, "2 of 6, blind") and shows(app, "Here: neither."))
        assert [vote[2:] for vote in votes(open_desk)] == [("left", 1), ("neither", 1)]
        tally = store_of(open_desk).comparisons.tally(BASE, Version("v1"))
        assert tally in (Tally(1, 0, 0, 1), Tally(0, 1, 0, 1))


async def test_a_conversation_is_replayed_beside_its_replies_and_can_be_stopped(
    app: DeskloopApp, open_desk: OpenDesk, engines: Script
) -> None:
    scenes.said(store_of(open_desk), "Pots", *((f"Q{n}?", f"Old {n}.", "base", "complete") for n in range(6)))
    make_version(store_of(open_desk))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+t")
        await wait_until(pilot, lambda: isinstance(app.screen, CompareSetup))
        app.screen.query_one("#kind", Select).value = "conversation"
        app.screen.query_one("#right", Select).value = "v1"
        await pilot.pause()
        async with open_desk.engine.turn():  # a customer is being answered
            app.screen.query_one("#start-compare").press()  # type: ignore[attr-defined]
            await wait_until(pilot, lambda: shows(app, "Asking: 0 of 6"))
            assert shows(app, "Old 0.")
            await pilot.press("escape")
            await wait_until(pilot, lambda: shows(app, "You stopped it."))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert len(store_of(open_desk).conversations.turns(1)) == 12
        assert open_desk.engine.serving == "base"


async def test_who_sends_meanwhile_is_told_why_it_takes_its_turn(app: DeskloopApp, open_desk: OpenDesk) -> None:
    make_version(store_of(open_desk))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        async with open_desk.engine.turn("The model is answering for a comparison."):
            await write(pilot, "hi")
            await pilot.press("enter")
            await wait_until(pilot, lambda: shows(app, "for a comparison. The reply follows."))
            assert shows(app, "base · comparing…")
        await wait_until(pilot, lambda: shows(app, "base says: hi"))
