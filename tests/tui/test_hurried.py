"""Keys pressed twice, or while something else opens: nothing is lost and nothing else is closed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input, TextArea

from store.desk import Desk
from tests.opened import store_of
from tests.tui.helpers import hurry, ready, say, shows, told, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.reach import Anywhere
from tui.screens.correction import CorrectionEditor
from tui.screens.dialog import Ask, Wait
from tui.screens.help import HelpDialog
from tui.screens.paths import completed, file_problem

SIZE = (80, 24)


async def test_a_save_pressed_twice_keeps_the_correction_and_the_chat(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        hurry(app, *"no", "ctrl+s", "ctrl+s", "ctrl+s")
        await wait_until(pilot, lambda: open_desk.judgements.waiting() == 1)
        await wait_until(pilot, lambda: app.screen is app.chat and shows(app, "corrected"))
        assert app.chat in app.screen_stack


async def test_an_editor_opened_and_saved_by_one_key_in_a_hurry_leaves_the_chat(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        hurry(app, "f2", "f2")
        await wait_until(pilot, lambda: told(app, "Approved."))
        assert app.screen is app.chat


async def test_an_answer_given_twice_renames_once(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press("alt+r")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        hurry(app, *"xyz", "enter", "enter")
        await wait_until(pilot, lambda: "xyz" in store_of(open_desk).conversations.list()[0].title)
        await wait_until(pilot, lambda: app.screen is app.chat)


async def test_help_over_work_that_takes_time_closes_with_it(
    app: DeskloopApp, open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = asyncio.Event()

    async def slow(*arguments: object, **more: object) -> None:
        await gate.wait()
        raise OSError("the stick was pulled")

    monkeypatch.setattr("tui.core.importing.ImportDesk.preview", slow)
    file = tmp_path / "pairs.jsonl"
    file.write_text("{}\n")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: shows(app, "Path of the file"))
        app.screen.query_one(Input).value = str(file)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, Wait))
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpDialog))
        gate.set()
        await wait_until(pilot, lambda: app.screen is app.chat, "help and wait are both gone")
        assert told(app, "the stick was pulled")


async def test_what_is_pasted_anywhere_is_harmless(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        app.post_message(Paste("one\r\n\x1b]52;c;aGk=\x07two \u202e3"))
        await wait_until(pilot, lambda: app.screen.query_one(TextArea).text == "one\ntwo 3")
        await pilot.press("escape", "ctrl+f")
        await wait_until(pilot, lambda: shows(app, "Search everything"))
        app.post_message(Paste("\x9b31mred\x00"))
        await wait_until(pilot, lambda: app.screen.query_one(Input).value == "red")


# -- a desk that can't be written to ---------------------------------------------------------------------
def is_full(open_desk: OpenDesk) -> None:
    """As on a full disk: no page more. SQLite counts for each connection, so it has to be the desk's own."""
    db = open_desk._store.db
    db.conn.execute(f"PRAGMA max_page_count = {db.value('PRAGMA page_count')}")


def has_room(open_desk: OpenDesk) -> None:
    open_desk._store.db.conn.execute("PRAGMA max_page_count = 1000000")


LONG = "word " * 4000  # more than what is left of the last page


async def test_on_a_full_disk_what_was_typed_stays_and_can_be_kept_later(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        app.screen.query_one(TextArea).text = LONG
        is_full(open_desk)
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: told(app, "The disk is full."))
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        assert app.screen.query_one(TextArea).text.strip() == LONG.strip()
        assert open_desk.judgements.waiting() == 0
        has_room(open_desk)
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: open_desk.judgements.waiting() == 1 and app.screen is app.chat)


async def test_a_message_that_a_full_disk_refuses_is_back_in_the_input(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        is_full(open_desk)
        app.chat.composer.write(LONG)
        await pilot.press("enter")
        await wait_until(pilot, lambda: told(app, "The disk is full."))
        assert app.chat.composer.text.strip() == LONG.strip()
        assert store_of(open_desk).conversations.list() == []
        has_room(open_desk)
        await pilot.press("enter")
        conversations = store_of(open_desk).conversations
        await wait_until(pilot, lambda: bool(conversations.list()) and app.chat.talk.current is None)


async def test_while_another_app_writes_for_long_nothing_breaks(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "judged today"))
        open_desk.wait_at_most(0.0)
        with Desk.open(open_desk.home) as other, other.atomic():
            other.db.run("UPDATE settings SET value = value")
            await pilot.press("a")
            await wait_until(pilot, lambda: told(app, "Another app is writing to this desk."))
        await pilot.press("a")
        await wait_until(pilot, lambda: shows(app, "Every reply has been judged."))


# -- paths ---------------------------------------------------------------------------------------------
def test_what_can_be_no_path_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("~nobody-of-that-name/x", "x" * 5000, "a\x00b", "", str(tmp_path)):
        assert file_problem(Anywhere(), given) is not None
        completed(given, Anywhere())
    file = tmp_path / "pairs.jsonl"
    file.touch()
    assert file_problem(Anywhere(), f" {file} ") is None
    assert completed(str(tmp_path / "pa"), Anywhere()) == str(file)

    def refuse(self: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "is_file", refuse)
    assert file_problem(Anywhere(), str(file)) is not None


@pytest.mark.parametrize(("keys", "words"), [("ctrl+o", "There is no file"), ("alt+x", "othing was written")])
async def test_a_field_for_a_path_takes_anything(app: DeskloopApp, keys: str, words: str) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        await pilot.press(keys)
        for given in ("~nobody/x.md", "x" * 300):
            await wait_until(pilot, lambda: bool(app.screen.query("Dialog Input")))
            app.screen.query_one(Input).value = given
            await pilot.press("enter")
            await wait_until(pilot, lambda given=given: shows(app, words) and shows(app, given[:20]))  # type: ignore[misc]
