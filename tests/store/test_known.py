"""What corrections answer at once, and what they leave alone."""

from __future__ import annotations

import json

import pytest

from store.conversations.transcripts import as_json, as_markdown
from store.database import Row
from store.desk import Desk
from store.erasing import Subject
from store.pairs import NewPair
from store.records import JudgedAnswer, Pair
from store.versions import NewVersion
from store.words import BASE, ERASED, Version
from tests.store.test_desk import said

QUESTION = "How long does the delivery to Norway take?"
ANSWER = "Five working days."


def corrected(desk: Desk, question: str = QUESTION, answer: str = ANSWER) -> Pair:
    return desk.judgements.correct(said(desk, question), answer, "ann")


def answer(desk: Desk, question: str, *history: tuple[str, str]) -> str | None:
    known = desk.known.answer(question, history)
    return None if known is None else known.answer


def add(desk: Desk, question: str, output: str) -> None:
    assert desk.pairs.add(NewPair(question, output, split="train"), "import", "ann") is not None


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "how long does the delivery to norway take",
        "How long does the delivery to Norway take, please?",
        "How long does the delviery to Norway take?",
        "How long does teh delivery to Norway take?",
        "how long does delivery to norway take",
    ],
)
def test_a_question_nearly_the_same_gets_the_operators_own_words(desk: Desk, question: str) -> None:
    pair = corrected(desk)
    found = desk.known.answer(question)
    assert found is not None
    assert (found.pair_id, found.answer) == (pair.id, ANSWER)


@pytest.mark.parametrize(
    "question",
    [
        "How long does the delivery to Sweden take?",
        "Does the delivery to Norway not take long?",
        "How long does the delivery of 2 chairs to Norway take?",
        "Where is my order?",
        "?",
        "",
    ],
)
def test_another_question_is_left_to_the_bot(desk: Desk, question: str) -> None:
    corrected(desk)
    assert answer(desk, question) is None


def test_a_correction_takes_no_question_that_is_nearer_to_a_pair_with_another_answer(desk: Desk) -> None:
    corrected(desk)
    add(desk, "How long does delivery to Norway take?", "Ask the carrier.")
    assert answer(desk, "How long does delivery to Norway take?") is None
    assert answer(desk, "how long does delivery to Norway take, please") is None
    assert answer(desk, QUESTION) == ANSWER  # word for word
    add(desk, "How long does delivery to Oslo, Norway take?", ANSWER)
    assert answer(desk, "How long does delivery to Oslo, Norway take") is None  # an import is no correction


def test_the_last_word_on_a_question_counts(desk: Desk) -> None:
    add(desk, QUESTION, "Ask the carrier.")
    corrected(desk)
    second = corrected(desk, answer="Six working days.")
    assert answer(desk, QUESTION) == "Six working days."
    edited = desk.editing.edit(second.id, "ann", QUESTION, "Seven days.")
    found = desk.known.answer(QUESTION)
    assert found is not None
    assert (found.answer, found.pair_id) == ("Seven days.", edited.id)


def test_what_was_undone_excluded_or_erased_says_nothing(desk: Desk) -> None:
    first = corrected(desk)
    assert first.reply_id is not None
    desk.judgements.withdraw(first.reply_id, "ann")
    assert answer(desk, QUESTION) is None
    second = corrected(desk)
    desk.pairs.exclude(second.id, "ann")
    assert answer(desk, QUESTION) is None
    desk.pairs.restore(second.id, "ann")
    assert answer(desk, QUESTION) == ANSWER
    desk.erasing.erase(Subject("pair", number=second.id), "ann")
    assert answer(desk, QUESTION) is None


def test_personal_data_that_may_not_train_may_not_be_said(desk: Desk) -> None:
    pair = corrected(desk, answer="Write to ann.miller@example.org.")
    assert answer(desk, QUESTION) is not None
    desk.settings.set("personal_data", "block", "ann")
    assert answer(desk, QUESTION) is None
    desk.editing.clear([pair.id], "ann")
    assert answer(desk, QUESTION) is not None


# -- history ---------------------------------------------------------------------------------------
def test_what_was_said_before_must_be_the_same_or_not_needed(desk: Desk) -> None:
    before = (("Hello", "Hello, how can I help?"),)
    desk.pairs.add(NewPair(QUESTION, ANSWER, before), "correction", "ann")
    desk.pairs.add(NewPair("And by air?", "Two days.", before), "correction", "ann")
    desk.pairs.add(NewPair("And by sea?", "Two weeks."), "correction", "ann")
    assert [answer(desk, text, *before) for text in (QUESTION, "and by air?", "and by sea?")] == [
        ANSWER, "Two days.", None,
    ]  # fmt: skip
    assert [answer(desk, text) for text in (QUESTION, "and by air?", "and by sea?")] == [None, None, "Two weeks."]
    later = (*before, ("Do you sell chairs?", "We do."))
    assert [answer(desk, text, *later) for text in (QUESTION, "and by air?")] == [ANSWER, None]


# -- versions --------------------------------------------------------------------------------------
def trained(desk: Desk, pair: Pair, outcome: str | None, kind: str = "correction") -> None:
    """A version that was trained on *pair*, active; the gate found *outcome*, if it asked."""
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 1)], [], "hash")
    desk.runs.transition(run.id, "training")
    desk.runs.transition(run.id, "evaluating")
    asked = [] if outcome is None else [JudgedAnswer(pair.id, kind, "No.", "No.", ANSWER, outcome)]  # type: ignore[arg-type]
    desk.runs.save_report(run.id, "promote", {}, asked)
    desk.runs.transition(run.id, "promoted")
    number = desk.versions.next_number()
    name = desk.versions.add(NewVersion(number, "0" * 64, "f" * 64, "qlora", {}, run.id)).name
    desk.promotions.promote(name, "manual", "ann")


def test_once_a_version_learned_it_the_version_answers(desk: Desk) -> None:
    pair = corrected(desk)
    trained(desk, pair, "learned")
    assert answer(desk, QUESTION) is None
    trained(desk, pair, None)  # the gate asks for new corrections alone
    assert answer(desk, QUESTION) is None
    desk.promotions.promote(BASE, "rollback", "ann")
    assert answer(desk, QUESTION) == ANSWER


@pytest.mark.parametrize(
    ("outcome", "kind"), [("not learned", "correction"), ("regressed", "correction"), ("not learned", "taught")]
)
def test_what_the_version_is_known_not_to_say_is_said_for_it(desk: Desk, outcome: str, kind: str) -> None:
    pair = corrected(desk)
    trained(desk, pair, outcome, kind)
    assert answer(desk, QUESTION) == ANSWER
    trained(desk, pair, "learned")
    assert answer(desk, QUESTION) is None


def test_nobody_knows_what_a_version_says_that_no_gate_asked(desk: Desk) -> None:
    trained(desk, corrected(desk), None)
    assert answer(desk, QUESTION) is None


# -- the replies -----------------------------------------------------------------------------------
def known_reply(desk: Desk, question: str = "how long does the delivery to norway take") -> int:
    """A correction's answer to *question*, as the chat keeps it."""
    found = desk.known.answer(question)
    assert found is not None
    message = desk.conversations.add_customer(desk.conversations.create("ann").id, question, "ann")
    return desk.conversations.known_reply(message.id, Version("v1"), found.answer, found.pair_id).id


def test_a_reply_from_a_correction_names_it_and_counts_for_no_version(desk: Desk) -> None:
    pair = corrected(desk)
    reply = known_reply(desk)
    turn = desk.conversations.turn(reply)
    assert turn.reply is not None
    assert (turn.text, turn.reply.state, turn.reply.from_correction) == (ANSWER, "complete", pair.id)
    assert desk.review.waits(reply)
    approved = desk.judgements.approve(reply, "ann")
    assert (approved.source, approved.instruction) == ("approval", "how long does the delivery to norway take")
    assert Version("v1") not in desk.quality.rates()


def test_transcripts_tell_whose_words_a_reply_is(desk: Desk) -> None:
    pair = corrected(desk)
    turn = desk.conversations.turn(known_reply(desk))
    conversation = desk.conversations.get(turn.conversation_id)
    turns = desk.conversations.turns(conversation.id)
    assert f"Bot v1, from correction {pair.id}, " in as_markdown(conversation, turns).replace("\\", "")
    assert json.loads(as_json(conversation, turns))["turns"][1]["from_correction"] == pair.id


def test_where_it_was_wrong_it_is_not_said_again(desk: Desk) -> None:
    corrected(desk)
    reply = known_reply(desk)
    desk.judgements.reject(reply, "ann")
    assert answer(desk, "How long does the delivery to norway take") is None
    assert desk.mistakes.rejected() == []  # the operator's words, not the bot's
    desk.judgements.withdraw(reply, "ann")
    pair = desk.judgements.correct(reply, "A week.", "ann")
    assert answer(desk, "how long does the delivery to norway take") == "A week."
    assert desk.mistakes.corrected([pair.id]) == {}


def test_erasing_takes_out_what_a_correction_said_to_others(desk: Desk) -> None:
    pair = corrected(desk)
    reply = known_reply(desk)
    approved = desk.judgements.approve(reply, "ann")
    assert pair.reply_id is not None
    conversation = desk.conversations.turn(pair.reply_id).conversation_id
    desk.erasing.erase(Subject("conversation", number=conversation), "ann")
    assert desk.conversations.turn(reply).text == ERASED
    assert ANSWER not in desk.pairs.get(approved.id).output
    assert desk.conversations.turn(reply - 1).text == "how long does the delivery to norway take"


# -- many ------------------------------------------------------------------------------------------
def test_new_pairs_are_seen_without_reading_the_old_ones_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.pairs.add_many((NewPair(f"Question {number} of many?", "Yes.") for number in range(300)), "import", "ann")
    corrected(desk)
    assert answer(desk, QUESTION) == ANSWER
    asked: list[str] = []
    all_of = desk.db.all

    def listen(sql: str, *values: object) -> list[Row]:
        asked.append(sql)
        return all_of(sql, *values)

    monkeypatch.setattr(desk.db, "all", listen)
    assert answer(desk, QUESTION) == ANSWER
    assert not [sql for sql in asked if "instruction" in sql]
    corrected(desk, "Do you deliver to Sweden as well?", "We do.")
    assert answer(desk, "do you deliver to sweden as well") == "We do."
