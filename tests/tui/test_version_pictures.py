"""The screens about versions, at three sizes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Select, TabbedContent

from store.words import Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import shows, wait_until
from tests.tui.test_pictures import Picture, desk, picture, pressing  # noqa: F401  (fixtures)
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.compare import CompareScreen


@pytest.mark.parametrize("tab", ["numbers", "corrections", "taught", "answers"])
def test_a_report(picture: Picture, desk: OpenDesk, tab: str) -> None:  # noqa: F811
    scenes.talk(store_of(desk))
    scenes.judge(store_of(desk), "reject" if tab == "numbers" else "inconclusive")
    until = {
        "numbers": "11 held-out pairs",
        "corrections": "v2 said",
        "taught": "3 of 3, the worst first",
        "answers": "v3 says",
    }[tab]

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(app, "V Report"))
        await pilot.press("v")
        await wait_until(pilot, lambda: shows(app, "Answers 4"))
        tabs = app.screen.query_one(TabbedContent)
        while tab != "numbers" and tabs.active != tab:
            await pilot.press("right")
        await wait_until(pilot, lambda: shows(app, until))

    picture(drive)


@pytest.mark.parametrize("scene", ["form", "blind", "voted"])
def test_a_comparison(picture: Picture, desk: OpenDesk, scene: str, monkeypatch: Any) -> None:  # noqa: F811
    scenes.talk(store_of(desk))
    for _ in range(2):
        make_version(store_of(desk))
    store_of(desk).promotions.promote(Version("v2"), "manual", "maria")
    monkeypatch.setattr("tui.core.compare.Random", lambda: Random(3))

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("ctrl+t")
        await wait_until(pilot, lambda: shows(app, "Compare two versions"))
        if scene == "form":
            return
        app.screen.query_one("#kind", Select).value = "conversation"
        app.screen.query_one(Checkbox).value = scene == "blind"
        app.screen.query_one("#start-compare", Button).press()
        await wait_until(pilot, lambda: isinstance(app.screen, CompareScreen) and not shows(app, "Asking"))
        await pilot.press("enter")
        if scene == "voted":
            await pilot.press("right")
        await wait_until(pilot, lambda: shows(app, "2 of 4"))

    picture(drive)


@pytest.mark.parametrize("scene", ["warning", "history", "details"])
def test_how_good_versions_are(picture: Picture, desk: OpenDesk, scene: str) -> None:  # noqa: F811
    scenes.talk(store_of(desk))
    scenes.decline(store_of(desk))
    keys, until = {
        "warning": ((), "! v2 is wrong more"),
        "history": (("f7", "h"), "50%/20"),
        "details": (("ctrl+d",), "so its pairs are unknown"),
    }[scene]
    picture(pressing(*keys, until=until))
