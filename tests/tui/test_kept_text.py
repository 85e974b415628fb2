"""Typed text is kept: what was refused, what was pasted where one line fits, what was begun when the app was left."""

from __future__ import annotations

import asyncio

from textual.events import Paste
from textual.widgets import Input, TextArea

from bot.engines.scripted import Script
from store.conversations.drafts import Draft
from store.words import BASE
from tests.opened import store_of
from tests.tui.helpers import hurry, ready, say, shows, told, wait_until, write
from tui.app import DeskloopApp, one_line
from tui.core import OpenDesk
from tui.core.drafts import joined
from tui.screens.correction import CorrectionEditor
from tui.screens.search import SearchDialog


def open_wide(engines: Script) -> None:
    """Let the bot say all that it has to say."""
    assert engines.gate is not None
    assert engines.gate is not None
    assert engines.gate is not None
    for _ in range(100):
        engines.gate.release()


async def test_two_refusals_in_one_breath_lose_nothing(app: DeskloopApp, open_desk: OpenDesk, engines: Script) -> None:
    engines.gate = asyncio.Semaphore(0)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await write(pilot, "first")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.chat.talk.current is not None)
        hurry(app, *"second", "enter", *"third", "enter", *"fou")
        await wait_until(pilot, lambda: told(app, "still writing") and app.chat.composer.text.endswith("fou"))
        assert app.chat.composer.text == "second\nthird\nfou"
        hurry(app, "r", "enter")  # all of it is refused once more
        await wait_until(pilot, lambda: app.chat.composer.text == "second\nthird\nfour")
        open_wide(engines)
        await wait_until(pilot, lambda: app.chat.talk.current is None)
        assert app.chat.composer.text == "second\nthird\nfour"
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.chat.talk.current is None and not app.chat.composer.text)
        said = [turn.text for turn in store_of(open_desk).conversations.turns(app.chat.conversation or 0)]
        assert said[::2] == ["first", "second\nthird\nfour"]


def test_texts_are_joined_without_empty_lines() -> None:
    assert joined("a", "", "b") == "a\nb"
    assert joined("", "") == ""


async def test_a_paste_of_lines_into_one_line_is_one_line(app: DeskloopApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+f")
        await wait_until(pilot, lambda: isinstance(app.screen, SearchDialog))
        app.post_message(Paste("red\r\npots\tand pans\n"))
        await wait_until(pilot, lambda: app.screen.query_one(Input).value == "red pots and pans")


def test_one_line_keeps_every_word() -> None:
    assert one_line("\tone\ntwo\n\nthree four\n") == "one two three four"


async def test_a_paste_of_lines_while_a_reply_is_written_is_kept(
    app: DeskloopApp, open_desk: OpenDesk, engines: Script
) -> None:
    engines.gate = asyncio.Semaphore(0)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await write(pilot, "first")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.chat.talk.current is not None)
        app.post_message(Paste("one\rtwo\tthree\r"))
        await wait_until(pilot, lambda: "three" in app.chat.composer.text)
        assert app.chat.composer.text == "one\ntwo\tthree\n"
        open_wide(engines)
        await wait_until(pilot, lambda: app.chat.talk.current is None)
        assert app.chat.composer.text == "one\ntwo\tthree\n"


async def test_what_is_being_written_outlives_the_app(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Do you ship abroad?")
        reply = app.chat.transcript.marked
        await write(pilot, "and to Fr")
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: app.chat.conversation is None)
        await write(pilot, "hello")
        app.drafts.keep()
        assert store_of(open_desk).drafts.take("maria") == [Draft("and to Fr", 1), Draft("hello")]
        await app.chat.open(1)
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        app.drafts.keep()  # an editor in which nothing was written holds no draft
        assert [draft.reply for draft in store_of(open_desk).drafts.take("maria")] == [None, None]
        await write(pilot, "Yes, to")
        app.drafts.keep()
        assert store_of(open_desk).drafts.take("maria")[-1] == Draft("Yes, to", None, reply)


async def test_what_was_begun_is_where_it_was_begun(app: DeskloopApp, open_desk: OpenDesk) -> None:
    conversation = store_of(open_desk).conversations.create("maria").id
    message = store_of(open_desk).conversations.add_customer(conversation, "When?", "maria")
    reply = store_of(open_desk).conversations.begin_reply(message.id, BASE, {})
    store_of(open_desk).conversations.finish_reply(reply.id, "At nine.", "complete")
    drafts = store_of(open_desk).drafts
    drafts.keep([Draft("wh"), Draft("and how", conversation), Draft("At te", None, reply.id)], "maria")
    drafts.keep([Draft("another's")], "jo")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        assert app.chat.composer.text == "and how"
        assert told(app, "is back where")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        assert app.screen.query_one(TextArea).text == "At te"
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: app.chat.composer.text == "wh")
        assert shows(app, "wh")
        assert store_of(open_desk).drafts.take("jo") == [Draft("another's")]
