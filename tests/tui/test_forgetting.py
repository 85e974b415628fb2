"""Erasing a person by real keys: shown before, careful, and what is left is offered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual.widgets import Button, Input, Select

from bot.engines.scripted import Script
from store.erasing import Subject
from store.words import BASE, ERASED, Version
from tests.core.conftest import make_version
from tests.leftovers import leftovers
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.erasing import forget
from tui.screens.dialog import Confirm, Tell
from tui.screens.forget import ForgetDialog

SIZE = (110, 40)
NAME = "Quillfeather"


@pytest.fixture
async def other(open_desk: OpenDesk) -> AsyncIterator[OpenDesk]:
    """The same desk, open for a second operator."""
    async with OpenDesk(open_desk.home, operator="jo", engine_factory=Script()) as second:
        yield second


async def test_the_open_conversation_is_erased_only_by_a_yes(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.said(store_of(open_desk), NAME, (f"I am {NAME}", f"Hello {NAME}", "base", "complete"))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+e")
        await wait_until(pilot, lambda: isinstance(app.screen, ForgetDialog))
        assert app.screen.query_one(Select).value == "conversation"
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm) and shows(app, "2 messages and replies"))
        assert isinstance(app.focused, Button)
        assert app.focused.id == "no"
        await pilot.press("enter")  # what a hurried Enter means
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert shows(app, f"Hello {NAME}")
        await pilot.press("alt+e")
        await wait_until(pilot, lambda: isinstance(app.screen, ForgetDialog))
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("shift+tab", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Tell) and shows(app, "Erased from"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat and shows(app, ERASED))
        assert not shows(app, NAME)
    assert leftovers(open_desk.home.root, NAME) == []


async def test_a_marked_pair_and_what_cannot_be_looked_for(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+b")
        await wait_until(pilot, lambda: shows(app, "Pairs — 12 live"))
        await pilot.press("delete")
        await wait_until(pilot, lambda: isinstance(app.screen, ForgetDialog))
        what = app.screen.query_one(Input)
        assert (app.screen.query_one(Select).value, what.value) == ("pair", "12")
        what.value = "the last"
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "A pair has a number"))
        what.value = "12"
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm) and shows(app, "1 pair."))
        await pilot.press("shift+tab", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Tell))
        await pilot.press("escape")
        await wait_until(pilot, lambda: shows(app, "Pairs — 11 live"))


async def test_a_version_that_learned_it_is_offered_to_be_replaced(app: DeskloopApp, open_desk: OpenDesk) -> None:
    run = store_of(open_desk).runs.create({}, BASE, "maria").id
    store_of(open_desk).runs.set_snapshot(run, [(3, 1)], [], "0")
    store_of(open_desk).runs.transition(run, "cancelled")
    old, new = (make_version(store_of(open_desk), run_id=run) for _ in range(2))
    for name in (old, new):
        store_of(open_desk).promotions.promote(Version(name), "manual", "maria")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+e")
        await wait_until(pilot, lambda: isinstance(app.screen, ForgetDialog))
        await pilot.press(*"Question 2?", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm) and shows(app, "Learned by v1, v2"))
        await pilot.press("shift+tab", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Tell))
        await pilot.press("escape")
        await wait_until(pilot, lambda: shows(app, "Remove these versions?"))
        await pilot.press("shift+tab", "enter")
        await wait_until(pilot, lambda: shows(app, "Retrain from the base?"))
        assert not (open_desk.home.adapters / old).exists()
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)


async def test_another_app_shows_it_erased(app: DeskloopApp, other: OpenDesk) -> None:
    scenes.said(store_of(other), "Frost", (f"I am {NAME}", f"Hello {NAME}", "base", "complete"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, f"I am {NAME}"))
        forget(store_of(other), Subject.of_text(NAME), "jo")
        await wait_until(pilot, lambda: shows(app, f"I am {ERASED}") and not shows(app, NAME))
