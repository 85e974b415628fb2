"""Talking, stopping, failing, judging and finding: by real keys, on the real app."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from textual.widgets import Input

from bot.engines.scripted import Script
from store.desk import Desk
from store.words import BASE
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import hurry, ready, say, screen_text, shows, told, wait_until, write
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.turns import WINDOW
from tui.screens.correction import CorrectionEditor
from tui.screens.dialog import Ask
from tui.screens.search import SearchDialog
from tui.widgets.rows import Rows
from tui.widgets.transcript import MOST, Transcript
from tui.widgets.turns import BotTurn, CustomerTurn

SIZE = (80, 24)


def replies(open_desk: OpenDesk) -> list[Any]:
    """The replies of the first conversation, as kept."""
    return [turn.reply for turn in store_of(open_desk).conversations.turns(1) if turn.reply is not None]


async def test_what_is_written_is_sent_kept_and_answered(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        assert shows(app, "Nothing has been said yet")
        await say(app, pilot, "when?")
        await wait_until(pilot, lambda: shows(app, "base says: when?"))
        assert shows(app, "Bot · base")
        assert [turn.text for turn in store_of(open_desk).conversations.turns(1)] == ["when?", "base says: when?"]
        assert app.chat.composer.text == ""


async def test_keys_in_a_hurry_keep_their_order(app: DeskloopApp, open_desk: OpenDesk) -> None:
    """The trap: keys with priority overtake letters that are still on their way to the text they belong to."""
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        hurry(app, *"one", "ctrl+j", *"two", "enter", *"next")
        await wait_until(pilot, lambda: shows(app, "base says: one two"))
        assert store_of(open_desk).conversations.turns(1)[0].text == "one\ntwo"
        assert app.chat.composer.text == "next"
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        hurry(app, *"right", "ctrl+s")
        await wait_until(pilot, lambda: open_desk.judgements.waiting() == 1)
        assert replies(open_desk)[0].correction == "right"


async def test_a_new_line_is_no_send(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await write(pilot, "a")
        await pilot.press("ctrl+j")
        await write(pilot, "b")
        await pilot.press("shift+enter")
        await write(pilot, "c")
        assert app.chat.composer.text == "a\nb\nc"


async def test_the_composer_grows_to_six_lines_and_no_further(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        assert app.chat.composer.size.height == 1
        for _ in range(9):
            await pilot.press("ctrl+j")
        await wait_until(pilot, lambda: app.chat.composer.size.height == 6)


async def test_a_stopped_reply_is_kept_and_its_message_is_back_in_the_input(
    app: DeskloopApp, open_desk: OpenDesk, engines: Script
) -> None:
    engines.gate = asyncio.Semaphore(2)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await write(pilot, "why?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "base says:"))
        assert shows(app, "writing…")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.chat.talk.current is None)
        assert app.chat.composer.text == "why?"
        assert shows(app, "Bot · base · stopped")
        assert [(reply.state, reply.id) for reply in replies(open_desk)] == [("stopped", 2)]


async def test_a_message_that_waits_for_the_engine_can_be_taken_back(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        async with open_desk.engine.turn():  # somebody else has the engine
            await write(pilot, "hello?")
            await pilot.press("enter")
            await wait_until(pilot, lambda: app.chat.talk.current is not None)
            await pilot.press("escape")
            await wait_until(pilot, lambda: app.chat.talk.current is None)
        assert app.chat.composer.text == "hello?"
        assert replies(open_desk) == []


async def test_when_the_engine_dies_the_app_says_so_and_goes_on(
    app: DeskloopApp, open_desk: OpenDesk, engines: Script
) -> None:
    engines.gate = asyncio.Semaphore(2)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await write(pilot, "why?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "base says:"))
        engines.gate = None
        engines.engines[0].die()
        await wait_until(pilot, lambda: app.chat.talk.current is None and app.desk.engine.state.name == "ready")
        assert shows(app, "Bot · base · failed")
        assert app.chat.composer.text == "why?"
        assert replies(open_desk)[0].state == "failed"
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "base says: why?"))
        assert len(engines.engines) == 2


async def test_again_answers_the_same_message_and_keeps_the_first_reply(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("f4")
        await wait_until(pilot, lambda: len(app.chat.query(BotTurn)) == 2 and app.chat.talk.current is None)
        assert [reply.state for reply in replies(open_desk)] == ["complete", "complete"]
        assert {turn.in_reply_to for turn in store_of(open_desk).conversations.turns(1) if turn.reply} == {1}


async def test_a_reply_is_corrected_beside_the_original(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor) and shows(app, "It should have said"))
        original, better = app.screen.query_one("#original-box"), app.screen.query_one("#better")
        assert better.region.y >= original.region.bottom  # one above the other at 80 columns
        await pilot.press("end")  # an arrow key, or End, keeps what is there
        await write(pilot, " Now.")
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: shows(app, "✎ corrected"))
        assert shows(app, "should have said: base says: when? Now.")
        assert shows(app, "1 correction waiting")
        assert open_desk.judgements.waiting() == 1


async def test_the_editor_is_side_by_side_where_there_is_room(app: DeskloopApp) -> None:
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor) and shows(app, "It should have said"))
        original, better = app.screen.query_one("#original-box"), app.screen.query_one("#better")
        assert (better.region.y, better.region.x >= original.region.right) == (original.region.y, True)


async def test_escape_leaves_the_editor_and_changes_nothing(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("f2")
        await wait_until(pilot, lambda: isinstance(app.screen, CorrectionEditor))
        await write(pilot, "x")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)
        assert open_desk.judgements.waiting() == 0


async def test_up_marks_an_earlier_reply_and_one_key_approves_it(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        for text in ("one?", "two?", "three?"):
            await say(app, pilot, text)
        await pilot.press("up", "up", "down", "f3")
        await wait_until(pilot, lambda: shows(app, "✓ approved"))
        assert [reply.approved for reply in replies(open_desk)] == [False, True, False]
        assert app.chat.query_one(".-marked", BotTurn).turn.reply == replies(open_desk)[1]


async def test_a_judgement_is_taken_back_until_a_run_has_used_it(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "one?")
        await pilot.press("f3")
        await wait_until(pilot, lambda: shows(app, "✓ approved"))
        await write(pilot, "ab")
        await pilot.press("ctrl+z")  # in a text it undoes the typing
        assert replies(open_desk)[0].approved
        assert app.chat.composer.text == ""
        await pilot.press("ctrl+z")
        await wait_until(pilot, lambda: not shows(app, "✓ approved"))
        assert not replies(open_desk)[0].judged
        await pilot.press("f3")
        await wait_until(pilot, lambda: shows(app, "✓ approved"))
        run = store_of(open_desk).runs.create({}, BASE, "maria")
        (pair,) = store_of(open_desk).pairs.list(source="approval")
        store_of(open_desk).runs.set_snapshot(run.id, [], [pair.id], "hash")
        await pilot.press("ctrl+z")
        await wait_until(pilot, lambda: shows(app, "Run 1 has used this judgement"))
        assert replies(open_desk)[0].approved


async def test_a_reply_is_marked_as_wrong_while_a_message_is_written_and_that_is_undone(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        await pilot.press("alt+w")
        await wait_until(pilot, lambda: shows(app, "✗ wrong") and told(app, "F2 says what would be right"))
        assert [reply.rejected for reply in replies(open_desk)] == [True]
        await pilot.press("ctrl+z")
        await wait_until(pilot, lambda: not shows(app, "✗ wrong"))
        await write(pilot, "and")
        await pilot.press("alt+w")
        await wait_until(pilot, lambda: shows(app, "✗ wrong"))
        assert app.chat.composer.text == "and"


async def test_a_corrected_question_is_answered_at_once_and_says_where_from(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Which of the pots stand frost?")
        pair = open_desk.judgements.correct(replies(open_desk)[0].id, "The brown ones.")
        await pilot.press("ctrl+n")
        await say(app, pilot, "which of the pots stand frost")
        await wait_until(pilot, lambda: shows(app, f"from correction {pair.id}") and shows(app, "The brown ones."))
        await pilot.press("ctrl+d")
        await wait_until(pilot, lambda: shows(app, "the bot itself was not asked"))


async def test_up_in_a_text_moves_the_cursor(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "one?")
        await say(app, pilot, "two?")
        marked = app.chat.transcript.marked
        await write(pilot, "ab")
        await pilot.press("ctrl+j", "up")
        assert app.chat.transcript.marked == marked
        assert app.chat.composer.cursor_location[0] == 0


async def test_keys_appear_when_they_can_do_something(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "F5 Retrain"))
        for absent in ("F2 Correct", "F3 Approve", "F4 Again", "F8 Roll back", "Esc Stop"):
            assert not shows(app, absent)
        await say(app, pilot, "when?")
        await wait_until(pilot, lambda: shows(app, "F1 Help F2 Correct F3 Approve F4 Again F5 Retrain F7 Versions"))


async def test_what_is_written_stays_with_its_conversation(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "one?")
        await write(pilot, "half a")
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: app.chat.conversation is None)
        assert app.chat.composer.text == ""
        await say(app, pilot, "two?")
        await pilot.press("ctrl+l", "down", "enter")
        await wait_until(pilot, lambda: app.chat.conversation == 1)
        assert app.chat.composer.text == "half a"


async def test_a_reply_goes_on_while_another_conversation_is_shown(
    app: DeskloopApp, open_desk: OpenDesk, engines: Script
) -> None:
    engines.gate = asyncio.Semaphore(2)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await write(pilot, "why so?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "base says:"))
        await pilot.press("ctrl+n")
        await wait_until(pilot, lambda: app.chat.conversation is None)
        assert not shows(app, "base says:")
        engines.gate.release()
        await wait_until(pilot, lambda: app.chat.talk.current is not None and "why" in app.chat.talk.current.text)
        await pilot.press("ctrl+l", "enter")
        await wait_until(pilot, lambda: shows(app, "base says: why"))
        assert shows(app, "writing…")
        engines.gate.release()
        await wait_until(pilot, lambda: shows(app, "base says: why so?"))
        await wait_until(pilot, lambda: app.chat.talk.current is None)
        assert store_of(open_desk).conversations.turns(1)[1].text == "base says: why so?"


async def test_the_list_is_searched_as_one_types_in_chinese_too(app: DeskloopApp, open_desk: OpenDesk) -> None:
    for text in ("where is my parcel", "我的订单在哪里", "opening hours"):
        number = store_of(open_desk).conversations.create("maria").id
        store_of(open_desk).conversations.add_customer(number, text, "maria")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        listed = app.chat.query_one(Rows)
        await wait_until(pilot, lambda: listed.count == 3)
        await pilot.press("ctrl+l", "ctrl+l")
        app.chat.query_one("#conversation-filter", Input).value = "订单"
        await wait_until(pilot, lambda: listed.count == 1 and shows(app, "1 found"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.chat.conversation == 2)
        assert shows(app, "我的订单在哪里")


async def test_the_list_is_narrowed_by_what_became_of_the_replies_and_by_words_together(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    first, *_ = scenes.said(store_of(open_desk), "Frost", ("Which pots?", "The red ones.", "v1", "complete"))
    scenes.said(store_of(open_desk), "Sun", ("Which pots then?", "The blue ones.", "v1", "complete"))
    scenes.said(store_of(open_desk), "Rain", ("Which pots?", "", "v1", "failed"))
    store_of(open_desk).judgements.correct(first, "The brown ones.", "jo")
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        listed = app.chat.query_one(Rows)
        await wait_until(pilot, lambda: listed.count == 3)
        lines = [line for line in screen_text(app).splitlines() if "▕" in line]
        assert [line.split("▕")[0].split() for line in lines[2:5]] == [["Rain", "!"], ["Sun", "•"], ["Frost", "✎"]]
        await pilot.press("alt+f", "down", "enter")
        await wait_until(pilot, lambda: listed.count == 1 and shows(app, "Show: needs review"))
        await pilot.press("alt+f", "down", "enter")
        await wait_until(pilot, lambda: listed.count == 1 and shows(app, "Show: corrected") and shows(app, "Frost ✎"))
        await pilot.press("ctrl+l", "slash", *"blue")
        await wait_until(pilot, lambda: listed.count == 0 and shows(app, "Nothing found"))


async def test_any_number_of_conversations_is_scrolled_through(app: DeskloopApp, open_desk: OpenDesk) -> None:
    with store_of(open_desk).atomic():
        for number in range(450):
            store_of(open_desk).conversations.create("maria", f"Conversation {number}")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "Conversation 449"))
        await pilot.press("ctrl+l", "end")
        await wait_until(pilot, lambda: shows(app, "Conversation 0"))
        await pilot.press("pageup", "up")
        await wait_until(pilot, lambda: shows(app, "Conversation 20"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.chat.conversation == 21 or shows(app, "never"))


async def test_a_conversation_is_renamed_archived_and_put_back(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.said(store_of(open_desk), "Sun", ("Which pots?", "The blue ones.", "v1", "complete"))
    scenes.said(store_of(open_desk), "Frost", ("Which pots?", "The red ones.", "v1", "complete"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+r")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        await write(pilot, " in May")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "Frost in May"))
        await pilot.press("ctrl+l", "a")  # in the list the letter alone does it
        await wait_until(pilot, lambda: app.chat.conversation == 1 and not shows(app, "Frost in May"))
        await pilot.press("alt+f", "end", "enter")
        await wait_until(pilot, lambda: shows(app, "Show: archived") and shows(app, "Frost in May"))
        await pilot.press("ctrl+l", "down", "a")
        await wait_until(pilot, lambda: shows(app, "Nothing found"))
        assert {row.title for row in store_of(open_desk).conversations.list()} == {"Sun", "Frost in May"}


async def test_a_conversation_is_exported_and_no_file_overwritten(
    app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path
) -> None:
    scenes.said(store_of(open_desk), "Frost", ("Which pots?", "The *red* ones.", "v1", "complete"))
    (tmp_path / "there.md").write_text("mine")
    async with app.run_test(size=(160, 45)) as pilot:
        await ready(app, pilot)
        await pilot.press("alt+x")
        await wait_until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one(Input).value = str(tmp_path / "there.md")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "already exists and was left unchanged"))
        app.screen.query_one(Input).value = str(tmp_path / "new.json")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.screen is app.chat)
    assert (tmp_path / "there.md").read_text() == "mine"
    whole = json.loads((tmp_path / "new.json").read_text())
    assert [turn["text"] for turn in whole["turns"]] == ["Which pots?", "The *red* ones."]


async def test_search_finds_a_turn_and_opens_its_conversation_there(app: DeskloopApp, open_desk: OpenDesk) -> None:
    conversations = store_of(open_desk).conversations
    old = conversations.create("maria").id
    conversations.add_customer(old, "the needle is here", "maria")
    for number in range(3 * WINDOW):
        conversations.add_customer(old, f"hay {number}", "maria")
    conversations.create("maria", "Another")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+f")
        await wait_until(pilot, lambda: isinstance(app.screen, SearchDialog))
        await write(pilot, "needle")
        await wait_until(pilot, lambda: shows(app, "the needle is here"))
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: app.chat.conversation == old and shows(app, "the needle is here"))


async def test_a_long_conversation_is_shown_in_windows(app: DeskloopApp, open_desk: OpenDesk) -> None:
    number = store_of(open_desk).conversations.create("maria").id
    for place in range(70):
        store_of(open_desk).conversations.add_customer(number, f"turn {place}", "maria")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        assert len(app.chat.query(CustomerTurn)) == WINDOW
        transcript = app.chat.query_one(Transcript)
        transcript.scroll_home(animate=False)
        await pilot.pause()
        await pilot.click("#earlier")
        await wait_until(pilot, lambda: len(app.chat.query(CustomerTurn)) == 2 * WINDOW)
        await wait_until(pilot, lambda: shows(app, "turn 40"))  # what was read stays in view
        transcript.scroll_home(animate=False)
        await pilot.pause()
        await pilot.click("#earlier")
        await wait_until(pilot, lambda: len(app.chat.query(CustomerTurn)) == 70)
        assert not app.chat.query("#earlier")


async def test_a_conversation_of_500_turns_is_walked_through_in_both_directions(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    replies = scenes.said(
        store_of(open_desk),
        "Long",
        *((f"question {place}?", f"answer {place}.", "v1", "complete") for place in range(250)),
    )
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        transcript = app.chat.transcript
        await app.chat.open(1, at=replies[125])
        await wait_until(pilot, lambda: shows(app, "answer 125."))
        assert transcript.marked == replies[125]
        assert len(transcript.query(BotTurn)) == WINDOW // 2
        while transcript.first != 1:
            transcript.mark(transcript.replies[0].turn.id)
            first = transcript.first
            await pilot.press("ctrl+up")
            await wait_until(pilot, lambda first=first: transcript.first != first)  # type: ignore[misc]
            assert len(transcript.query(BotTurn)) <= MOST // 2
        while not transcript.at_end:
            transcript.mark(transcript.replies[-1].turn.id)
            last = transcript.last
            await pilot.press("ctrl+down")
            await wait_until(pilot, lambda last=last: transcript.last != last)  # type: ignore[misc]
            assert len(transcript.query(BotTurn)) <= MOST // 2
        assert transcript.last == replies[-1]
        await app.chat.open(1, at=replies[3])
        await write(pilot, "and now?")
        await pilot.press("enter")  # what is said belongs to the end
        await wait_until(pilot, lambda: shows(app, "base says: and now?"))
        assert transcript.at_end


async def test_an_import_shows_what_would_come_in_before_anything_is_written(
    app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path
) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text(scenes.CHATS, encoding="utf-8")
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        for agreed in (False, True):
            await pilot.press("ctrl+o")
            await wait_until(pilot, lambda: shows(app, "Path of the file"))
            app.screen.query_one(Input).value = str(path)
            await pilot.press("enter")
            await wait_until(pilot, lambda: shows(app, "2 conversations will be added."))
            assert shows(app, "4 rows, read as conversations.")
            assert shows(app, "Customer: And [b]blue[/b] ones?")
            assert shows(app, "Line 2: turn 1 is by 'robot', not by customer or agent")
            assert store_of(open_desk).conversations.list() == []
            await pilot.press("enter" if agreed else "escape")
            await wait_until(pilot, lambda: shows(app, "Added: 2 conversations.") or app.screen is app.chat)
        assert len(store_of(open_desk).conversations.list()) == 2


async def test_what_another_app_says_and_judges_is_seen(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await say(app, pilot, "when?")
        with Desk.open(open_desk.home) as other:
            other.judgements.correct(2, "At nine.", "jo")
            message = other.conversations.add_customer(1, "and on Sundays?", "jo")
            reply = other.conversations.begin_reply(message.id, BASE, {})
            other.conversations.finish_reply(reply.id, "Never.", "complete")
            other.conversations.create("jo", "A new customer")
        await wait_until(pilot, lambda: shows(app, "Never."))
        await wait_until(pilot, lambda: shows(app, "A new customer"))
        assert shows(app, "should have said: At nine.")
        assert shows(app, "1 correction waiting")


async def test_a_reply_without_end_is_called_unfinished(app: DeskloopApp, open_desk: OpenDesk) -> None:
    conversations = store_of(open_desk).conversations
    message = conversations.add_customer(conversations.create("jo").id, "hello", "jo")
    reply = conversations.begin_reply(message.id, BASE, {})
    conversations.extend_reply(reply.id, "We op")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        assert shows(app, "Bot · base · not finished")
        assert shows(app, "We op")


async def test_leaving_in_mid_reply_keeps_what_was_said(app: DeskloopApp, open_desk: OpenDesk, engines: Script) -> None:
    engines.gate = asyncio.Semaphore(2)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await write(pilot, "why?")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "base says:"))
        await pilot.press("ctrl+q")
        await wait_until(pilot, lambda: app._exit)
    with Desk.open(open_desk.home) as desk:
        turn = desk.conversations.turns(1)[1]
        assert turn.text == "base says:"
        assert turn.reply is not None
        assert turn.reply.state == "stopped"


async def test_the_status_line_always_says_who_answers_and_what_waits(app: DeskloopApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "base · ready"))
        assert screen_text(app).splitlines()[0].split() == [
            "deskloop",
            "·",
            "garden",
            "0",
            "corrections",
            "waiting",
            "base",
            "·",
            "ready",
        ]


async def test_the_list_marks_the_conversation_that_a_first_message_began(app: DeskloopApp) -> None:
    async with app.run_test() as pilot:
        await ready(app, pilot)
        await say(app, pilot, "Hello")
        await pilot.press("ctrl+n")
        await say(app, pilot, "Again")
        began = app.chat.conversation
        assert began is not None
        await wait_until(pilot, lambda: app.chat.conversations.rows.number == began)
