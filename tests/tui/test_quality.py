"""What the chat says of the version that answers, and of one reply."""

from __future__ import annotations

import pytest

from store.words import BASE
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, say, screen_text, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.widgets.status import QualityLine
from tui.widgets.version_chart import columns


async def test_a_judgement_is_in_the_rate_at_once(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        assert not shows(app, "% of")
        await say(app, pilot, "when?")
        await pilot.press("f3")
        await wait_until(pilot, lambda: shows(app, "0% of 1 wrong base · ready"))


@pytest.mark.parametrize("size", [(60, 24), (160, 45)])
async def test_a_version_that_is_corrected_more_is_warned_of_with_the_key_that_rolls_back(
    app: DeskloopApp, open_desk: OpenDesk, size: tuple[int, int]
) -> None:
    scenes.decline(store_of(open_desk))
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: app.chat.query_one(QualityLine).display)
        assert shows(app, "! v2 is wrong more often than")
        said = str(app.chat.query_one(QualityLine).content)
        assert (
            said == "! v2 is wrong more often than v1: 50% of 20 against 10% of 20, beyond chance (p 0.007). F8 "
            "rolls back."
        )
        await pilot.press("f8")
        await wait_until(pilot, lambda: shows(app, "Roll back to v1?"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: open_desk.promotions.active == "v1" and not shows(app, "! v2"))


async def test_a_reply_tells_how_it_came_to_be(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Question 3?")
        await pilot.press("ctrl+d")
        await wait_until(pilot, lambda: shows(app, "not trained on this desk's pairs"))
        assert shows(app, "greedy, repetition_penalty 1.0, max_new_tokens 256")
        assert shows(app, "40.0 tokens/s")
        await pilot.press("escape")
        store = store_of(open_desk)
        run = store.runs.create({}, BASE, "maria")
        store.runs.set_snapshot(run.id, [(pair.id, 1) for pair in store.pairs.list()], [], "hash")
        await open_desk.promotions.activate(make_version(store, run_id=run.id))
        await say(app, pilot, "question 3")
        await pilot.press("ctrl+d")
        await wait_until(pilot, lambda: shows(app, "% alike: Question 3?"))
        assert shows(app, "→ Answer 3.")


async def test_the_history_is_drawn(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.decline(store_of(open_desk))
    async with app.run_test(size=(60, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f7", "h")
        await wait_until(pilot, lambda: shows(app, "Versions over time"))
        await wait_until(pilot, lambda: shows(app, "50%/20"))
        assert "●v2" in screen_text(app)


def test_columns_grow_with_their_numbers_and_the_latest_are_shown() -> None:
    values = [("base", None, ""), ("v1", 5.0, "5"), ("v2", 10.0, "10")]
    assert [line.rstrip() for line in columns(values, 15, 6).splitlines()] == [
        "           10",
        "          ████",
        "      5   ████",
        "     ████ ████",
        " –   ████ ████",
        "base  v1   v2",
    ]
    assert columns([(f"v{number}", 1.0, "1") for number in range(99)], 12, 4).splitlines()[-1].split() == [
        "v96", "v97", "v98",
    ]  # fmt: skip
