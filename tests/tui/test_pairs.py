"""Pairs, conflicts and personal data by real keys."""

from __future__ import annotations

import pytest

from store.desk import Desk
from store.pairs import NewPair
from store.records import JudgedAnswer
from store.versions import NewVersion
from store.words import BASE
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, told, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.conflicts import ConflictsScreen
from tui.screens.dialog import Ask, Confirm
from tui.screens.pair_editor import PairEditor
from tui.screens.pair_filter import PairFilterDialog
from tui.screens.pair_story import PairStoryDialog
from tui.screens.pairs import PairsScreen
from tui.screens.preflight import PreflightDialog

SIZE = (100, 30)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """Twelve pairs that train, and one that came of a correction."""
    (reply,) = scenes.said(store_of(open_desk), "Frost", ("Which pots stand frost?", "All.", "base", "complete"))
    store_of(open_desk).judgements.correct(reply, "The terracotta ones from Siena.", "jo")
    return store_of(open_desk)


async def test_found_edited_and_both_texts_kept(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+b")
        await wait_until(pilot, lambda: shows(app, "Pairs — 13 live") and shows(app, "Pair 13 · trains · correction"))
        await pilot.press("slash", *"siena")
        await wait_until(pilot, lambda: shows(app, "Pairs — 1 live"))
        await pilot.press("enter", "e")
        await wait_until(pilot, lambda: isinstance(app.screen, PairEditor))
        await write(pilot, " Ask ann@x.org")
        await wait_until(pilot, lambda: shows(app, "Personal data: e-mail address"))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: shows(app, "Pair 14 replaces pair 13"))
        await wait_until(pilot, lambda: shows(app, "Pair 14 · trains · correction"))
        assert desk.pairs.get(13).superseded_by == 14
        assert desk.pairs.get(14).output == "The terracotta ones from Siena. Ask ann@x.org"
        # The one key that redacts shows what will be kept.
        await pilot.press("d")
        await wait_until(pilot, lambda: shows(app, "without personal data") and shows(app, "Ask [email]"))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: shows(app, "Pair 15 · trains"))
        assert not shows(app, "! Personal data")
        assert desk.pair_listing.flagged() == {}


async def test_many_at_once_and_why_some_were_left(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+b")
        await wait_until(pilot, lambda: shows(app, "Pairs — 13 live"))
        await pilot.press("space", "space", "space")
        await wait_until(pilot, lambda: shows(app, "3 marked"))
        await pilot.press("p")
        await wait_until(pilot, lambda: shows(app, "Pinned as tests: 2 pairs.") and shows(app, "those always train"))
        assert [pair.id for pair in desk.pairs.heldout_set()] == [11, 12]
        await pilot.press("a", "t")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"frost", "enter")
        await wait_until(pilot, lambda: shows(app, "Put #frost on 13 pairs.") and shows(app, "#frost"))
        await pilot.press("home", "x")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"old", "enter")
        await wait_until(pilot, lambda: shows(app, "Excluded 1 pair.") and shows(app, "Pairs — 12 live"))
        await pilot.press("f")
        await wait_until(pilot, lambda: isinstance(app.screen, PairFilterDialog))
        await pilot.press("enter", "down", "enter")
        await pilot.click("#show")
        await wait_until(pilot, lambda: shows(app, "Pairs — 1 excluded") and shows(app, "excluded (old)"))
        await pilot.press("r")
        await wait_until(pilot, lambda: shows(app, "Restored 1 pair.") and shows(app, "No pair matches"))
        assert desk.pairs.count() == 13


async def test_what_is_taken_out_of_many_pairs_is_shown_before(app: DeskloopApp, desk: Desk) -> None:
    texts = {
        "Who is there?": "Ann, ann@x.org. Or [ann@x.org]!",
        "And who else?": "Bo, +44 20 7946 0958.",
        "Else?": "No.",
    }
    news = [NewPair(question, answer, split="train") for question, answer in texts.items()]
    desk.pairs.add_many(news, "import", "ann")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+b")
        await wait_until(pilot, lambda: shows(app, "Pairs — 16 live"))
        await pilot.press("a", "d")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm) and shows(app, "Redact 2 pairs?"))
        assert shows(app, "Pair 14: ann@x.org → [email]")
        assert shows(app, "Pair 15: +44 20 7946 0958 → [phone]")
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, PairsScreen))
        assert len(desk.pair_listing.flagged()) == 2
        await pilot.press("d")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "Redacted 2 pairs."))
        assert desk.pair_listing.flagged() == {}
        await pilot.press("a", "d")
        await wait_until(pilot, lambda: told(app, "There is no personal data in these 16 pairs"))


async def test_the_story_and_the_way_to_the_reply(app: DeskloopApp, desk: Desk) -> None:
    run = desk.runs.create({}, BASE, "jo")
    desk.runs.set_snapshot(run.id, [(13, 8)], [], "hash")
    desk.runs.transition(run.id, "training")
    desk.runs.transition(run.id, "evaluating")
    desk.versions.add(NewVersion(1, "sha", "base", "qlora", {}, run.id))
    judged = JudgedAnswer(13, "correction", "All.", "The ones from Siena.", "The terracotta ones.", "learned")
    desk.runs.save_report(run.id, "promote", {}, [judged])
    desk.runs.transition(run.id, "rejected")
    scenes.said(desk, "Another", ("Hello?", "Yes?", "base", "complete"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+b", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, PairStoryDialog))
        assert shows(app, "base said: All.")
        assert shows(app, "Run 1 (v1) trained on it, weight 8")
        await pilot.press("pagedown")
        await wait_until(
            pilot, lambda: shows(app, "2026-03-14 · learned") and shows(app, "after: The ones from Siena.")
        )
        await pilot.press("o")
        await wait_until(pilot, lambda: app.screen is app.chat and shows(app, "Which pots stand frost?"))
        assert app.chat.conversation == 1


async def test_conflicts_are_named_before_a_retraining_and_settled(app: DeskloopApp, desk: Desk) -> None:
    news = [
        NewPair("Do you deliver to the islands on a Sunday?", "No.", split="train"),
        NewPair("Do you deliver to the islands on  a sunday?", "Yes.", split="train"),
        NewPair("Do you deliver to the islnds on a Sunday?", "Perhaps.", split="train"),
        NewPair("Who are you?", "Ann, ann@x.org", split="train"),
        NewPair("Who are you?", "Bob.", split="train"),
    ]
    desk.pairs.add_many(news, "import", "jo")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "3 open: C settles them") and shows(app, "1: D looks at them"))
        assert shows(app, "1 pair holds personal data (1 e-mail address)")
        await pilot.press("c")
        await wait_until(pilot, lambda: shows(app, "3 open: questions") and shows(app, "▶ Pair 14"))
        await pilot.press("right", "k")
        await wait_until(pilot, lambda: shows(app, "Pair 15 stands; 1 other excluded.") and shows(app, "2 open"))
        assert desk.pair_listing.rows([14])[0].why == "conflict"
        await wait_until(pilot, lambda: shows(app, "▶ Pair 17"))
        await pilot.press("b")
        await wait_until(pilot, lambda: shows(app, "1 open") and shows(app, "nearly the same"))
        await pilot.press("right", "e")
        await wait_until(pilot, lambda: isinstance(app.screen, PairEditor))
        await pilot.press("shift+home", *"Yes.", "ctrl+s")
        await wait_until(pilot, lambda: shows(app, "No question has two different answers"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, PreflightDialog))
        assert not shows(app, "settles them")
        await pilot.press("d")
        await wait_until(pilot, lambda: shows(app, "Pairs — 1 with personal data"))
        await pilot.press("k")
        await wait_until(pilot, lambda: shows(app, "Cleared for training: 1 pair."))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, PreflightDialog))
        assert shows(app, "Pairs with personal data 0")


async def test_blocked_pairs_are_told_and_left_out(app: DeskloopApp, desk: Desk) -> None:
    desk.pairs.add(NewPair("Who?", "Call 415-555-2671", split="train"), "import", "jo")
    desk.settings.set("personal_data", "block", "jo")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "It is left out of this"))
        assert shows(app, "Pairs to learn from 13")


async def test_the_editor_warns_while_a_correction_is_written(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f2")
        await wait_until(pilot, lambda: shows(app, "It should have said"))
        assert not shows(app, "Personal data")
        await write(pilot, " Call 415-555-2671")
        await wait_until(pilot, lambda: shows(app, "! Personal data: phone number"))


async def test_what_another_operator_does_is_seen(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+p", *"conflicts", "enter")  # by name
        await wait_until(pilot, lambda: isinstance(app.screen, ConflictsScreen) and shows(app, "No question has two"))
        await pilot.press("escape", "ctrl+b")
        await wait_until(pilot, lambda: isinstance(app.screen, PairsScreen) and shows(app, "Pairs — 13 live"))
        with Desk.open(desk.home) as other:
            other.editing.exclude([3], "kim", None)
        await wait_until(pilot, lambda: shows(app, "Pairs — 12 live"))
