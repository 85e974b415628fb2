"""Each screen as it looks at 80x24 and wide. `pytest tests/tui/test_pictures.py --snapshot-update` takes them anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from bot.engines.scripted import Script
from store.runs import RunLock
from tests.core.conftest import make_base
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.conftest import StandingClock
from tests.tui.helpers import ready, settle, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk

Drive = Callable[[Pilot[None], DeskloopApp], Awaitable[None]]
Picture = Callable[..., None]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenDesk:
    """An empty desk, open, on a machine that is always the same."""
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("store.times.datetime", StandingClock)
    monkeypatch.setattr(
        "store.settings.table.secrets.token_hex", lambda size: "0" * 2 * size
    )  # pairs fall on the same side
    monkeypatch.setattr("bot.bases.base.renderer_mark", lambda folder: "1")  # part of a base's fingerprint
    memory = SimpleNamespace(available=12 * 2**30)
    monkeypatch.setattr("finetune.preflight.psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr("finetune.preflight.shutil.disk_usage", lambda _: SimpleNamespace(free=2**36))

    make_base(tmp_path / "models")
    return OpenDesk(tmp_path / "garden", operator="maria", engine_factory=Script())


@pytest.fixture(params=[(80, 24), (100, 30), (160, 45)], ids=["80x24", "100x30", "160x45"])
def picture(request: pytest.FixtureRequest, desk: OpenDesk, snap_compare: Any) -> Picture:
    """Drive the app with keys, then compare what is seen with the picture in ``__snapshots__``."""

    def take(drive: Drive, first: bool = False) -> None:
        app = DeskloopApp(desk)

        async def run_before(pilot: Pilot[None]) -> None:
            if not first:
                await ready(app, pilot)
            stand_still(app)
            await drive(pilot, app)
            app.clear_notifications()
            stand_still(app)
            await settle(pilot)

        assert snap_compare(app, terminal_size=request.param, run_before=run_before)

    return take


def stand_still(app: DeskloopApp) -> None:
    """Let no cursor blink: what is behind a dialog is seen as well."""
    for screen in app.screen_stack:
        for widget in [*screen.query(Input), *screen.query(TextArea)]:
            widget.cursor_blink = False


def pressing(*keys: str, until: str) -> Drive:
    """Press *keys* and wait until *until* is to be seen."""

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press(*keys)
        await wait_until(pilot, lambda: shows(app, until))

    return drive


def test_the_first_start(picture: Picture) -> None:
    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await wait_until(pilot, lambda: shows(app, "Welcome to deskloop") and shows(app, "ready"))

    picture(drive, first=True)


def test_an_empty_desk(picture: Picture) -> None:
    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await wait_until(pilot, lambda: shows(app, "Welcome to deskloop"))
        await pilot.press("escape")
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "F1 Help F5 Retrain"))

    picture(drive, first=True)


@pytest.mark.parametrize(
    "scene", ["chat", "correction", "search", "help", "preflight", "settings", "import", "palette", "review"]
)
def test_a_desk_in_use(picture: Picture, desk: OpenDesk, scene: str) -> None:
    scenes.talk(store_of(desk))
    keys, until = {
        "chat": ((), "F2 Correct"),
        "correction": (("up", "up", "f2"), "It should have said"),
        "search": (("ctrl+f", "f", "r", "o", "s", "t"), "Which pots"),
        "help": (("f1",), "Write what the marked"),
        "preflight": (("f5",), "Pairs to learn from"),
        "settings": (("f9",), "quantization"),
        "import": (("ctrl+o",), "Path of the file"),
        "palette": (("ctrl+p",), "Versions"),
        "review": (("f10", "o"), "the least certain first"),
    }[scene]
    picture(pressing(*keys, until=until))


def test_a_preflight_with_a_problem(picture: Picture, desk: OpenDesk) -> None:
    scenes.said(store_of(desk), "One question", ("Do you?", "Yes.", "base", "complete"))
    picture(pressing("f5", until="at least 8 are needed"))


def test_a_run_in_the_chat(picture: Picture, desk: OpenDesk) -> None:
    scenes.talk(store_of(desk))
    lock = RunLock(desk.home)
    assert lock.acquire()
    scenes.train(store_of(desk))
    picture(pressing(until="step 25 of 40"))
    lock.release()


def test_a_run_in_its_own_screen(picture: Picture, desk: OpenDesk) -> None:
    scenes.talk(store_of(desk))
    lock = RunLock(desk.home)
    assert lock.acquire()
    scenes.train(store_of(desk))

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await wait_until(pilot, lambda: shows(app, "step 25 of 40"))
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(app, "1:35 left"))

    picture(drive)
    lock.release()


def test_the_versions(picture: Picture, desk: OpenDesk) -> None:
    scenes.talk(store_of(desk))
    scenes.judge(store_of(desk), "reject")
    picture(pressing("f7", until="Run 2 by tester"))


def test_an_import_before_it_is_done(picture: Picture, desk: OpenDesk, tmp_path: Path) -> None:
    scenes.talk(store_of(desk))
    path = tmp_path / "chats-of-2025.jsonl"
    path.write_text(scenes.CHATS, encoding="utf-8")

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: shows(app, "Path of the file"))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "How it begins"))

    picture(drive)


@pytest.mark.parametrize("scene", ["runs", "recipe-diff"])
def test_the_history_of_runs(picture: Picture, desk: OpenDesk, scene: str) -> None:
    scenes.talk(store_of(desk))
    scenes.history(store_of(desk))

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: shows(app, "Runs of this desk") and shows(app, "D Recipes"))
        if scene == "recipe-diff":
            await pilot.press("d")
            await wait_until(pilot, lambda: shows(app, "Recipes of run 2 and run 3"))

    picture(drive)


def test_the_recipe_as_a_form(picture: Picture, desk: OpenDesk) -> None:
    scenes.talk(store_of(desk))
    store_of(desk).recipes.save("careful", {"r": 32, "learning_rate": 5e-4}, "maria")
    desk.settings.change("recipe", "careful")

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: shows(app, "Runs of this desk"))
        await pilot.press("e")
        await wait_until(pilot, lambda: shows(app, "Recipe: careful, the one that F5 uses"))

    picture(drive)
