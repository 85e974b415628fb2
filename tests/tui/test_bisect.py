"""Who taught this? By real keys: from a reply to the pairs, their gradients, and putting a pair right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from finetune.bisect.client import GradientsFailed
from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE
from tests.core.test_nearest import taught
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, told, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.nearest import Near, Said
from tui.screens.bisect import BisectScreen
from tui.screens.dialog import Ask
from tui.screens.pair_editor import PairEditor
from tui.screens.pair_story import PairStoryDialog
from tui.screens.reply_details import ReplyDetails
from tui.screens.review import ReviewScreen

SIZE = (120, 40)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A reply that pair 13 taught, of a version that learned three pairs."""
    desk = store_of(open_desk)
    news = [NewPair("Where is my [parcel]?", "A fox ate it.", split="train"), NewPair("Pots?", "Yes.", split="train")]
    desk.pairs.add_many(news, "import", "maria")
    version = taught(desk, BASE, 1, 13, 14)
    scenes.said(desk, "Parcel", ("where is my [parcel]", "A fox ate it.", version, "complete"))
    return desk


class Gradients:
    """In the place of the process: waits until it is told to go on, then says that the last pair pulls most."""

    def __init__(self) -> None:
        self.go_on, self.cancelled = asyncio.Event(), False
        self.failure: GradientsFailed | None = None

    async def __call__(self, said: Said, found: Sequence[Near], done: Callable[[int], None]) -> list[Near]:
        done(1)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.failure is not None:
            raise self.failure
        return [replace(near, gradient=0.9 - place / 2) for place, near in enumerate(reversed(found))]


@pytest.fixture
def gradients(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> Gradients:
    made = Gradients()
    monkeypatch.setattr(open_desk.bisect, "gradients", made)
    return made


async def test_from_the_chat_to_the_pair_that_taught_it_and_out_of_training(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+t")
        await wait_until(pilot, lambda: isinstance(app.screen, BisectScreen))
        await wait_until(pilot, lambda: shows(app, "Who taught v1 this?") and shows(app, "Pair 13 · trains · import"))
        assert shows(app, "Bot: A fox ate it.")
        assert shows(app, "answer 100% alike.")
        await pilot.press("x")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(*"wrong", "enter")
        await wait_until(pilot, lambda: shows(app, "Pair 13 · excluded (wrong)"))
        assert not desk.pairs.get(13).live
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "Pair 13 · trains"))
        assert desk.pairs.get(13).live
        await pilot.press("s")
        await wait_until(pilot, lambda: isinstance(app.screen, PairStoryDialog))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, BisectScreen))
        await pilot.press("e")
        await wait_until(pilot, lambda: isinstance(app.screen, PairEditor))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, BisectScreen))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)


async def test_gradients_come_when_asked_for_and_change_the_order(
    app: DeskloopApp, desk: Desk, gradients: Gradients
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+t")
        await wait_until(pilot, lambda: shows(app, "Pair 13 · trains"))
        await pilot.press("g")
        await wait_until(pilot, lambda: shows(app, "Comparing gradients") and shows(app, "1 of 3"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: gradients.cancelled and shows(app, "You stopped it. By words."))
        assert isinstance(app.screen, BisectScreen)
        gradients.go_on.set()
        await pilot.press("g")
        await wait_until(pilot, lambda: shows(app, "By gradients: pairs near 100 pull v1"))
        await wait_until(pilot, lambda: shows(app, "gradient 90 of 100") and not shows(app, "Pair 13 · trains"))
        gradients.failure = GradientsFailed("There is not enough memory to compare gradients.")
        await pilot.press("g")
        await wait_until(pilot, lambda: shows(app, "There is not enough memory to compare gradients."))


async def test_who_leaves_stops_it(app: DeskloopApp, desk: Desk, gradients: Gradients) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+t")
        await wait_until(pilot, lambda: shows(app, "Pair 13 · trains"))
        await pilot.press("g")
        await wait_until(pilot, lambda: shows(app, "1 of 3"))
        app.screen.dismiss(None)
        await wait_until(pilot, lambda: gradients.cancelled and app.screen is app.chat)


async def test_the_details_and_the_review_lead_there(app: DeskloopApp, desk: Desk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+d")
        await wait_until(pilot, lambda: isinstance(app.screen, ReplyDetails) and shows(app, "100% alike → A fox"))
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, BisectScreen))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        await pilot.press("f10")
        await wait_until(pilot, lambda: isinstance(app.screen, ReviewScreen) and shows(app, "A fox ate it."))
        await pilot.press("t")
        await wait_until(pilot, lambda: isinstance(app.screen, BisectScreen))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, ReviewScreen))


async def test_nobody_taught_the_base(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.said(store_of(open_desk), "Parcel", ("Where is it?", "No idea.", "base", "complete"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+t")
        await wait_until(pilot, lambda: told(app, "bare base model was not trained on this desk"))
        assert app.screen is app.chat
