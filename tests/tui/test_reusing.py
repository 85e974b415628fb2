"""Taking up again what was said: by real keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.events import Paste

from bot.engines.scripted import Script
from bot.types import Prompt
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, say, shows, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.widgets.turns import BotTurn

SIZE = (100, 30)
CODE = "Run this:\n\n```sh\necho one\necho two\n```\n\nand that."


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to the clipboard."""
    texts: list[str] = []
    monkeypatch.setattr(DeskloopApp, "copy_to_clipboard", lambda app, text: texts.append(text))
    return texts


async def test_a_message_is_edited_and_sent_anew_and_the_old_one_stays(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await write(pilot, "half a thought")
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: app.chat.composer.text == "when?")
        await pilot.press("ctrl+z")  # what was being written is not lost
        assert app.chat.composer.text == "half a thought"
        await pilot.press("ctrl+r")
        await wait_until(pilot, lambda: app.chat.composer.text == "when?")
        await say(app, pilot, "!")
        assert [turn.text for turn in store_of(open_desk).conversations.turns(1) if turn.role == "customer"] == [
            "when?",
            "when?!",
        ]


async def test_the_other_preset_answers(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        for count in (2, 3):
            await pilot.press("alt+p")
            await wait_until(
                pilot,
                lambda count=count: len(app.chat.query(BotTurn)) == count and app.chat.talk.current is None,  # type: ignore[misc]
            )
        replies = [turn.reply for turn in store_of(open_desk).conversations.turns(1) if turn.reply is not None]
        assert [reply.decoding["do_sample"] for reply in replies] == [False, True, False]


async def test_copying_takes_the_selection_the_reply_or_its_code(
    app: DeskloopApp, engines: Script, copied: list[str]
) -> None:
    def reply(prompt: Prompt, version: str) -> str:
        return CODE

    engines.reply = reply
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "how?")
        await pilot.press("ctrl+c", "alt+c")
        await wait_until(pilot, lambda: len(copied) == 2)
        await write(pilot, "ab")
        await pilot.press("shift+left", "ctrl+c")
        await wait_until(pilot, lambda: len(copied) == 3)
    assert copied == [CODE, "echo one\necho two", "b"]


async def test_a_reply_is_quoted_above_what_is_written(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await write(pilot, "Why?")
        await pilot.press("alt+q")
        await wait_until(pilot, lambda: app.chat.composer.text == "> base says: when?\n\nWhy?")


async def test_what_this_operator_sent_comes_back_with_the_draft_behind_it(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    scenes.said(store_of(open_desk), "Another day", ("one?", "1", "v1", "complete"), ("two?", "2", "v1", "complete"))
    number = store_of(open_desk).conversations.create("jo").id
    store_of(open_desk).conversations.add_customer(number, "of somebody else", "jo")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        composer = app.chat.composer
        await write(pilot, "draft")
        seen = []
        for keys in ("alt+up", "pageup", "alt+up", "alt+down", "pagedown"):
            before = composer.text
            await pilot.press(keys)
            await wait_until(pilot, lambda before=before: composer.text != before or before == "one?")  # type: ignore[misc]
            seen.append(composer.text)
        assert seen == ["two?", "one?", "one?", "two?", "draft"]


async def test_a_paste_of_many_lines_stays_many_lines_and_harmless(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        app.post_message(Paste("one\r\ntwo\x1b]52;c;aGk=\x07\n\nfour"))
        await wait_until(pilot, lambda: app.chat.composer.text == "one\ntwo\n\nfour")
        assert app.chat.conversation is None  # nothing was sent


async def test_a_message_is_written_in_the_operators_own_editor(
    app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "an editor"
    editor.write_text('#!/bin/sh\nstat -c %a "$2" > "$1"\nprintf "\\nand\\033[31m more\\n" >> "$2"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", f"'{editor}' '{tmp_path / 'mode'}'")

    @contextlib.contextmanager
    def suspend(app: DeskloopApp) -> Iterator[None]:
        yield

    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await write(pilot, "first")
        await pilot.press("ctrl+e")
        await wait_until(pilot, lambda: shows(app, "An editor can't be opened here"))
        assert app.chat.composer.text == "first"
        monkeypatch.setattr(DeskloopApp, "suspend", suspend)
        await pilot.press("ctrl+e")
        await wait_until(pilot, lambda: app.chat.composer.text == "first\nand more")
        assert (tmp_path / "mode").read_text() == "600\n"
        assert not list(open_desk.home.root.glob("draft-*"))
        monkeypatch.setenv("VISUAL", "false")
        await pilot.press("ctrl+e")
        await wait_until(pilot, lambda: shows(app, "ended with an error"))
