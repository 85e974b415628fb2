"""An app that can't go on ends with a sentence; the rest is in its log."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from rich.text import Text

from bot.engines.scripted import Script
from store.database import BROKEN, DeskReadOnly
from store.desk import Desk
from store.errors import DeskError
from tests.opened import store_of
from tests.store.test_desk import said
from tests.tui.helpers import wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.crashes import reports


@pytest.fixture
def script() -> Script:
    return Script(deltas=["We open ", "at nine."])


def last_words(error: BaseException) -> str:
    """What textual shows of an error that ends the app."""
    shown = vars(error)["__rich__"]()
    assert isinstance(shown, Text)
    return shown.plain


@pytest.mark.parametrize("worker", [False, True])
async def test_what_nobody_foresaw_is_one_sentence(app: DeskloopApp, open_desk: OpenDesk, worker: bool) -> None:
    def fall() -> None:
        raise RuntimeError("boom \x1b[31m")

    async def work() -> None:
        fall()

    async def run() -> None:
        async with app.run_test() as pilot:
            await wait_until(pilot, lambda: app.chat.is_mounted)
            if worker:
                app.run_worker(work())
            else:
                app.call_later(fall)
            await pilot.pause()
            await wait_until(pilot, lambda: app.return_code == 1)

    with pytest.raises(Exception) as caught:  # noqa: PT011  (textual's own around a worker's)
        await run()
    (report,) = reports(open_desk.home)
    assert last_words(caught.value) == (
        f"This did not work: boom . Everything saved before is still there. The details are in the report {report}"
    )
    kept = report.read_text()
    assert "in fall\n" in kept
    assert "RuntimeError\n" in kept
    assert "RuntimeError: boom" not in kept  # what an error says may quote a customer


@pytest.mark.parametrize("seed", range(10))
async def test_no_damage_makes_the_app_speak_python(tmp_path: Path, script: Script, seed: int) -> None:
    with Desk.open(tmp_path / "home") as desk:
        for _ in range(20):
            said(desk)
    file, chance = tmp_path / "home" / "desk.db", random.Random(seed)
    raw = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 20, 200])):
        raw[chance.randrange(100, len(raw))] ^= chance.randrange(1, 256)
    file.write_bytes(bytes(raw))
    words = None
    try:
        app = DeskloopApp(OpenDesk(tmp_path / "home", operator="ann", engine_factory=script))
        async with app.run_test() as pilot:
            await wait_until(pilot, lambda: app.return_code == 1 or app.chat.is_mounted)
            await pilot.pause()
    except DeskError as error:
        words = error.sentence
    except BROKEN as error:
        words = last_words(error) if "__rich__" in vars(error) else str(error)
    except Exception as error:
        words = last_words(error)
    assert words is None or "Traceback" not in words


async def test_a_desk_that_may_only_be_read_opens_and_says_so(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desk.open(tmp_path / "home") as desk:
        said(desk)
    monkeypatch.setattr("store.database.connection.why_unwritable", lambda path: "its disk is read-only")
    open_desk = OpenDesk(tmp_path / "home", operator="ann", engine_factory=script)
    app = DeskloopApp(open_desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await wait_until(pilot, lambda: any("can only be read" in note.message for note in app._notifications))
        assert [turn.text for turn in store_of(open_desk).conversations.turns(1)] == ["Where is my order?", "No idea."]
        with pytest.raises(DeskReadOnly):
            store_of(open_desk).conversations.create("ann")
