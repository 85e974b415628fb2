"""Two apps on one desk: what one operator does, the other sees. How soon, `python -m benchmarks scale` measures."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual.widgets import Input

from bot.engines.scripted import Script, ScriptedEngine
from store.runs import RunLock
from store.words import Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.watching import CHECK_EVERY

PROMISED = 2.0  # seconds, in docs/administration.md


@pytest.fixture
async def other(open_desk: OpenDesk) -> AsyncIterator[OpenDesk]:
    """The same desk, open for a second operator."""
    async with OpenDesk(open_desk.home, operator="jo", engine_factory=Script()) as second:
        yield second


def test_most_of_the_promised_time_is_left_for_showing_what_was_seen() -> None:
    assert 4 * CHECK_EVERY <= PROMISED


async def test_conversations_turns_and_corrections_of_another_are_seen(app: DeskloopApp, other: OpenDesk) -> None:
    [reply] = scenes.said(store_of(other), "Pots", ("Which pots stand frost?", "All.", "base", "complete"))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        assert shows(app, "Which pots stand frost?")
        scenes.said(store_of(other), "Deliveries", ("Do you deliver?", "Yes.", "base", "complete"))
        await wait_until(pilot, lambda: shows(app, "Deliveries"))
        other.judgements.correct(reply, "Only the glazed ones.")
        await wait_until(pilot, lambda: shows(app, "should have said: Only the glazed ones."))
        assert shows(app, "1 correction waiting")
        conversation = store_of(other).conversations.turn(reply).conversation_id
        store_of(other).conversations.add_customer(conversation, "And the blue ones?", "jo")
        await wait_until(pilot, lambda: shows(app, "And the blue ones?"))


async def test_a_run_of_another_is_seen(app: DeskloopApp, other: OpenDesk) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        lock = RunLock(other.home)
        assert lock.acquire()
        scenes.train(store_of(other))
        await wait_until(pilot, lambda: shows(app, "step 25 of 40"))
        lock.release()


async def test_a_promotion_by_another_swaps_in_here(app: DeskloopApp, other: OpenDesk, engines: Script) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        name = make_version(store_of(other))
        await other.promotions.activate(Version(name))
        await wait_until(pilot, lambda: shows(app, f"{name} · ready"))
        engine: ScriptedEngine = engines.engines[-1]
        assert app.desk.engine.serving == name
        assert engine.versions == [name]
        await other.promotions.go_back()
        await wait_until(pilot, lambda: app.desk.engine.serving == "base")
        assert [row.who for row in store_of(other).promotions.list()] == ["jo", "jo"]


async def test_settings_of_another_are_followed(app: DeskloopApp, other: OpenDesk) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        other.settings.change("theme", "deskloop-high-contrast")
        other.settings.change("keys", '"desk.retrain" = "f12"')
        await wait_until(pilot, lambda: app.theme == "deskloop-high-contrast" and shows(app, "F12 Retrain"))


async def test_a_field_in_focus_does_not_bring_back_what_another_changed(app: DeskloopApp, other: OpenDesk) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: bool(app.screen.query("#set-heldout_share")))
        field = app.screen.query_one("#set-heldout_share", Input)
        field.focus()
        other.settings.change("heldout_share", 0.3)
        await wait_until(pilot, lambda: field.value == "0.3")
        await pilot.press("end", "5")  # now it is being written
        other.settings.change("heldout_share", 0.4)
        await wait_until(pilot, lambda: app.desk.settings.now.heldout_share == 0.4)
        assert field.value == "0.35"
        await pilot.press("backspace", "backspace", "4", "escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert other.settings.now.heldout_share == 0.4
