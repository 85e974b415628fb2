"""The line of keys: whole ones only, by mouse as by key, and no more work than needed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.widgets.keybar import KeyBar


def bar_of(app: DeskloopApp) -> KeyBar:
    return app.screen.query_one(KeyBar)


@pytest.mark.parametrize("width", [30, 60, 80, 160])
async def test_keys_are_whole_or_not_there(app: DeskloopApp, width: int) -> None:
    async with app.run_test(size=(width, 24)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: bar_of(app).shown)
        shown = bar_of(app).shown
        assert (shown[0].display, shown[0].name) == ("F1", "Help")
        assert shown[-1].end <= width
        assert all(before.end < after.begin for before, after in pairwise(shown))
        line = app.screen._compositor.render_strips(app.size)[23].text
        for key in shown:
            assert line[key.begin : key.end] == f"{key.display} {key.name}"


async def test_a_click_is_as_good_as_the_key_and_the_mouse_is_told_what_it_does(app: DeskloopApp) -> None:
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: bar_of(app).shown)
        bar = bar_of(app)
        key = next(key for key in bar.shown if key.display == "F1")
        await pilot.hover(bar, offset=(key.begin + 1, 0))
        await wait_until(pilot, lambda: bar.hovered == key and bar.tooltip == key.tooltip)
        await pilot.hover(bar, offset=(key.end, 0))  # the gap
        await wait_until(pilot, lambda: bar.hovered is None and bar.tooltip is None)
        await pilot.click(bar, offset=(key.begin, 0))
        await wait_until(pilot, lambda: app.screen is not app.chat and shows(app, "Teach the bot"))


async def test_a_screen_without_other_keys_draws_nothing_anew(
    app: DeskloopApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: bar_of(app).shown)
        bar, drawn = bar_of(app), list[int]()
        before = bar.shown
        monkeypatch.setattr(bar, "refresh", lambda *args, **options: drawn.append(1))
        app.screen.refresh_bindings()
        await pilot.pause()
        bar._list()
        assert bar.shown == before
        assert not drawn
