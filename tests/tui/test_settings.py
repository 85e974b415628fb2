"""The settings screen by real keys."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Select, TextArea

from tests.opened import store_of
from tests.tui.helpers import ready, shows, told, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.core.watching.CHECK_EVERY", 0.05)


async def test_a_value_is_judged_while_it_is_written_and_kept_when_it_is_left(app: DeskloopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: bool(app.screen.query("#set-heldout_share")))
        app.screen.query_one("#set-heldout_share", Input).focus()
        await pilot.press("end", "5", "0")
        await wait_until(pilot, lambda: shows(app, "heldout_share [changed") is False)
        await pilot.press("home", "9")
        await wait_until(pilot, lambda: shows(app, "heldout_share must be between 0 and 0.9"))
        assert app.desk.settings.now.heldout_share == 0.2
        await pilot.press("home", "delete", "tab")
        await wait_until(pilot, lambda: shows(app, "heldout_share [changed; usual: 0.2]"))
        assert app.desk.settings.now.heldout_share == 0.25


async def test_presets_and_keys_are_lines(app: DeskloopApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: bool(app.screen.query("#set-natural")))
        app.screen.query_one("#set-natural", TextArea).focus()
        await write(pilot, "top_p = 3")
        await wait_until(pilot, lambda: shows(app, "natural.top_p must be between 0.01 and 1.0"))
        await pilot.press("backspace", *"0.5", "tab")
        await wait_until(pilot, lambda: app.desk.settings.now.natural == {"top_p": 0.5})


async def test_what_the_file_gives_is_shown_and_locked(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=(160, 60)) as pilot:
        await ready(app, pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: bool(app.screen.query("#set-min_pairs")))
        open_desk.home.settings_file.write_text("min_pairs = 44\n", encoding="utf-8")
        field = app.screen.query_one("#set-min_pairs", Input)
        await wait_until(pilot, lambda: field.value == "44" and field.disabled)
        assert shows(app, "min_pairs [changed; usual: 8; set in deskloop.toml, change it there]")


async def test_a_theme_is_seen_at_once_and_kept(app: DeskloopApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("f9")
        await wait_until(pilot, lambda: bool(app.screen.query("#set-theme")))
        app.screen.query_one("#set-theme", Select).value = "deskloop-high-contrast"
        await wait_until(pilot, lambda: app.theme == "deskloop-high-contrast")
        assert app.desk.settings.now.theme == "deskloop-high-contrast"


async def test_a_wrong_file_is_said_once_at_the_start(app: DeskloopApp, open_desk: OpenDesk) -> None:
    open_desk.home.settings_file.write_text("min_pairs = 0\n", encoding="utf-8")
    store_of(open_desk).settings.take_file(open_desk.home.settings_file, "root")
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: told(app, "deskloop.toml, line 1: min_pairs must be 1 or more."))
        assert len(app._notifications) == 1
