"""An exchange: nothing that was said is lost, whatever happens in the middle of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.engines.scripted import DIED, Script
from bot.types import Answer, EngineError, Finish
from store.desk import Desk
from store.pairs.known import Known, KnownAnswers
from store.records import Turn
from store.words import Exchange
from tests.opened import store_of
from tui.core import DeskError, MessageKept, OpenDesk, ReplyDelta, ReplyEvent, ReplyFinished, ReplyStarted
from tui.core.chat import PartialKeeper


async def listen_to(events: AsyncIterator[ReplyEvent]) -> list[ReplyEvent]:
    return [event async for event in events]


def turns(open_desk: OpenDesk, conversation: int) -> list[Turn]:
    """The turns as another app on the desk sees them."""
    with Desk.open(open_desk.home) as desk:
        return desk.conversations.turns(conversation)


@pytest.fixture
async def conversation(open_desk: OpenDesk) -> int:
    await open_desk.engine.start()
    return store_of(open_desk).conversations.create("tester").id


async def test_an_exchange_tells_its_steps_and_is_kept(open_desk: OpenDesk, conversation: int) -> None:
    events = await listen_to(open_desk.chat.send(conversation, "When do you open?"))
    assert [type(event) for event in events] == [MessageKept, ReplyStarted, ReplyDelta, ReplyDelta, ReplyFinished]
    message, reply = turns(open_desk, conversation)
    assert (message.text, reply.text) == ("When do you open?", "We open at nine.")
    assert reply.reply is not None
    assert (reply.reply.state, reply.reply.version, reply.reply.new_tokens) == ("complete", "base", 2)
    assert reply.reply.decoding["do_sample"] is False
    assert reply.reply.certainty == -0.25


async def test_the_message_is_kept_before_anything_is_generated(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    open_desk.chat.send(conversation, "Hello?")  # nobody iterates
    assert [turn.text for turn in turns(open_desk, conversation)] == ["Hello?"]
    assert script.prompts == []


async def test_the_reply_has_its_row_and_its_text_while_it_streams(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    script.pause = asyncio.Event()
    events = open_desk.chat.send(conversation, "Hello?")
    async for event in events:
        if isinstance(event, ReplyDelta):
            break
    reply = turns(open_desk, conversation)[1]
    assert reply.reply is not None
    assert (reply.text, reply.reply.state, reply.reply.finished_at) == ("We open ", "failed", None)
    script.pause.set()
    assert isinstance((await listen_to(events))[-1], ReplyFinished)


async def test_streamed_text_is_written_within_half_a_second_even_if_no_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    flushed = asyncio.Event()

    def write(text: str) -> None:
        written.append(text)
        if len(written) == 2:
            flushed.set()

    monkeypatch.setattr("tui.core.chat.KEEP_EVERY", 0.01)
    partial = PartialKeeper(write)
    for delta in ("a", "b", "c"):
        partial.add(delta)
    assert written == ["a"]
    await flushed.wait()
    assert written == ["a", "abc"]


async def test_an_engine_that_dies_in_mid_reply_leaves_what_was_said_and_comes_back(
    open_desk: OpenDesk, conversation: int, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.keeper.FIRST_DELAY", 0)
    script.ends = DIED
    events = await listen_to(open_desk.chat.send(conversation, "Hello?"))
    last = events[-1]
    assert isinstance(last, ReplyFinished)
    assert last.sentence is not None
    assert "send it again" in last.sentence
    reply = turns(open_desk, conversation)[1]
    assert reply.reply is not None
    assert (reply.text, reply.reply.state) == ("We open at nine.", "failed")
    assert reply.reply.finished_at is not None
    script.ends = None
    events = await listen_to(open_desk.chat.regenerate(turns(open_desk, conversation)[0].id))
    assert len(script.engines) == 2
    assert [turn.reply.state for turn in turns(open_desk, conversation) if turn.reply] == ["failed", "complete"]


async def test_an_engine_error_fails_the_reply_and_not_the_engine(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    script.ends = EngineError("out-of-memory", "The machine ran out of memory.")
    last = (await listen_to(open_desk.chat.send(conversation, "Hello?")))[-1]
    assert isinstance(last, ReplyFinished)
    assert last.turn.reply is not None
    assert last.turn.reply.state == "failed"
    assert open_desk.engine.state.name == "ready"
    assert len(script.engines) == 1


async def test_stop_keeps_what_was_streamed(open_desk: OpenDesk, conversation: int, script: Script) -> None:
    script.pause = asyncio.Event()
    async for event in open_desk.chat.send(conversation, "Hello?"):
        if isinstance(event, ReplyDelta):
            await open_desk.chat.stop()
    reply = turns(open_desk, conversation)[1]
    assert reply.reply is not None
    assert (reply.text, reply.reply.state) == ("We open ", "stopped")
    assert open_desk.engine.state.name == "ready"


async def test_a_listener_that_leaves_still_ends_the_reply_and_frees_the_engine(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    script.pause = asyncio.Event()
    heard = asyncio.Event()

    async def listen() -> None:
        async for event in open_desk.chat.send(conversation, "Hello?"):
            if isinstance(event, ReplyDelta):
                heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    reply = turns(open_desk, conversation)[1]
    assert reply.reply is not None
    assert (reply.text, reply.reply.state) == ("We open ", "stopped")
    assert len(script.engines[0].cancelled) == 1
    script.pause = None
    assert isinstance((await listen_to(open_desk.chat.send(conversation, "Again?")))[-1], ReplyFinished)


async def test_regenerating_keeps_the_old_reply(open_desk: OpenDesk, conversation: int, script: Script) -> None:
    await listen_to(open_desk.chat.send(conversation, "Hello?"))
    script.deltas = ["At ten."]
    await listen_to(open_desk.chat.regenerate(turns(open_desk, conversation)[0].id, preset="natural"))
    _, first, second = turns(open_desk, conversation)
    assert (first.text, second.text) == ("We open at nine.", "At ten.")
    assert second.reply is not None
    assert second.reply.decoding["temperature"] == 0.7
    assert first.in_reply_to == second.in_reply_to


async def test_the_prompt_carries_the_persona_and_what_was_said_with_corrections(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    open_desk.settings.change("system_message", "You are Mia.")
    await listen_to(open_desk.chat.send(conversation, "When?"))
    open_desk.judgements.correct(turns(open_desk, conversation)[1].id, "At eight.")
    await listen_to(open_desk.chat.send(conversation, "And on Sundays?"))
    prompt = script.prompts[-1]
    assert (prompt.system, prompt.history, prompt.message) == (
        "You are Mia.", (("When?", "At eight."),), "And on Sundays?",
    )  # fmt: skip


async def test_an_empty_message_is_refused_and_writes_nothing(open_desk: OpenDesk, conversation: int) -> None:
    with pytest.raises(DeskError, match="empty"):
        open_desk.chat.send(conversation, " \x1b[31m ")
    assert turns(open_desk, conversation) == []


async def test_an_unknown_preset_is_refused_before_the_message_is_kept(open_desk: OpenDesk, conversation: int) -> None:
    with pytest.raises(DeskError, match="faithful, natural"):
        open_desk.chat.send(conversation, "Hello?", preset="loud")
    assert turns(open_desk, conversation) == []


async def test_what_the_model_writes_is_cleaned(open_desk: OpenDesk, conversation: int, script: Script) -> None:
    script.deltas = ["\x1b[31mred", "\x9b0m\x07"]
    events = await listen_to(open_desk.chat.send(conversation, "Hello?"))
    assert "".join(event.text for event in events if isinstance(event, ReplyDelta)) == "red"
    assert turns(open_desk, conversation)[1].text == "red"


@pytest.mark.parametrize(("finish", "told"), [("length", "was cut off"), ("repeated", "repeat itself")])
async def test_a_reply_that_did_not_end_by_itself_says_so(
    open_desk: OpenDesk, conversation: int, monkeypatch: pytest.MonkeyPatch, finish: Finish, told: str
) -> None:
    async def long_stream(*_: object) -> AsyncIterator[str | Answer]:
        yield "on and on and on"
        yield Answer("on and", 3, 0.1, 0.1, finish)

    monkeypatch.setattr("bot.engines.scripted.ScriptedEngine.stream", long_stream)
    last = (await listen_to(open_desk.chat.send(conversation, "Hello?")))[-1]
    assert isinstance(last, ReplyFinished)
    assert last.sentence is not None
    assert told in last.sentence
    assert turns(open_desk, conversation)[-1].text == "on and"


# -- what is known at once -------------------------------------------------------------------------
QUESTION = "When do you open on Sundays?"


async def corrected(open_desk: OpenDesk, conversation: int) -> int:
    """The pair of a correction of the bot's answer to :data:`QUESTION`."""
    events = await listen_to(open_desk.chat.send(conversation, QUESTION))
    assert isinstance(events[-1], ReplyFinished)
    return open_desk.judgements.correct(events[-1].turn.id, "At ten on Sundays.").id


async def test_a_corrected_question_is_answered_at_once_without_an_engine(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    pair = await corrected(open_desk, conversation)
    await open_desk.engine.close()
    asked = len(script.prompts)
    number, events = open_desk.chat.begin("when do you open on sundays")
    told = await listen_to(events)
    assert [type(event) for event in told] == [MessageKept, ReplyStarted, ReplyDelta, ReplyFinished]
    reply = turns(open_desk, number)[1]
    assert (reply.text, len(script.prompts)) == ("At ten on Sundays.", asked)
    assert reply.reply is not None
    assert (reply.reply.state, reply.reply.version, reply.reply.from_correction) == ("complete", "base", pair)
    assert told[-1] == ReplyFinished(reply)
    assert store_of(open_desk).search.turns("Sundays")[0][0].id == reply.id


async def test_who_asks_again_or_has_it_off_hears_the_bot_itself(
    open_desk: OpenDesk, conversation: int, script: Script
) -> None:
    await corrected(open_desk, conversation)
    number, events = open_desk.chat.begin(QUESTION)
    await listen_to(events)
    await listen_to(open_desk.chat.regenerate(turns(open_desk, number)[0].id))
    assert [turn.text for turn in turns(open_desk, number)[1:]] == ["At ten on Sundays.", "We open at nine."]
    open_desk.settings.change("answer_from_corrections", "off")
    number, events = open_desk.chat.begin(QUESTION)
    await listen_to(events)
    assert turns(open_desk, number)[1].text == "We open at nine."


async def test_a_correction_that_is_excluded_while_it_is_found_is_not_said(
    open_desk: OpenDesk, conversation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await corrected(open_desk, conversation)
    look = KnownAnswers.answer

    def look_and_lose(known: KnownAnswers, question: str, history: Sequence[Exchange] = ()) -> Known | None:
        found = look(known, question, history)
        assert found is not None
        with Desk.open(open_desk.home) as other:
            other.pairs.exclude(pair, "another")
        return found

    monkeypatch.setattr(KnownAnswers, "answer", look_and_lose)
    number, events = open_desk.chat.begin(QUESTION)
    await listen_to(events)
    assert turns(open_desk, number)[1].text == "We open at nine."
