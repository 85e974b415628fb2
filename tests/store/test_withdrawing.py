"""Taking a judgement back: what stood before it stands again."""

from __future__ import annotations

import pytest

from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE
from tests.store.test_desk import said

QUESTION = "Where is my order?"


def judgement(desk: Desk, reply: int) -> tuple[str | None, bool]:
    turn = desk.conversations.turn(reply)
    assert turn.reply is not None
    return turn.reply.correction, turn.reply.approved


def live(desk: Desk) -> list[tuple[str, str]]:
    return [(pair.output, pair.split) for pair in desk.pairs.list()]


def test_judgements_are_taken_back_one_by_one_down_to_none(desk: Desk) -> None:
    reply = said(desk)
    desk.pairs.pin(desk.judgements.approve(reply, "ann").id)  # a test, whatever the hash says
    desk.judgements.correct(reply, "On its way.", "ann")
    desk.judgements.correct(reply, "It comes on Monday.", "ann")
    assert live(desk) == [("It comes on Monday.", "train")]
    desk.judgements.withdraw(reply, "jo")
    assert judgement(desk, reply) == ("On its way.", False)
    assert live(desk) == [("On its way.", "train")]
    desk.judgements.withdraw(reply, "jo")
    assert judgement(desk, reply) == (None, True)
    assert live(desk) == [("No idea.", "heldout")]
    desk.judgements.withdraw(reply, "jo")
    assert judgement(desk, reply) == (None, False)
    assert live(desk) == []
    with pytest.raises(ValueError, match="nothing to undo"):
        desk.judgements.withdraw(reply, "jo")
    assert [row["created_by"] for row in desk.db.all("SELECT * FROM withdrawals")] == ["jo"] * 3


def test_a_correction_that_was_taken_back_is_no_history_and_waits_for_nothing(desk: Desk) -> None:
    reply = said(desk)
    desk.judgements.correct(reply, "On its way.", "ann")
    conversation = desk.conversations.turn(reply).conversation_id
    message = desk.conversations.add_customer(conversation, "Since when?", "ann")
    assert desk.conversations.history(message.id) == ((QUESTION, "On its way."),)
    desk.judgements.withdraw(reply, "ann")
    assert desk.conversations.history(message.id) == ((QUESTION, "No idea."),)
    assert (desk.judgements.waiting(), desk.pairs.training_set()) == (0, [])


def test_a_test_that_a_correction_put_out_comes_back_once_no_correction_stands(desk: Desk) -> None:
    desk.pairs.add(NewPair(QUESTION, "See your account.", split="heldout"), "import", "ann")
    first, second = said(desk), said(desk)
    desk.judgements.correct(first, "On its way.", "ann")
    desk.judgements.correct(second, "Nearly there.", "ann")
    desk.judgements.withdraw(first, "ann")
    assert live(desk) == [("Nearly there.", "train")]
    desk.judgements.withdraw(second, "ann")
    assert live(desk) == [("See your account.", "heldout")]


def test_a_question_that_was_trained_on_stays_out_of_the_tests(desk: Desk) -> None:
    desk.pairs.add(NewPair(QUESTION, "See your account.", split="heldout"), "import", "ann")
    trained = desk.judgements.correct(said(desk), "On its way.", "ann")
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(trained.id, 1)], [], "hash")
    desk.pairs.exclude(trained.id, "ann")
    later = said(desk)
    desk.judgements.correct(later, "Nearly there.", "ann")
    desk.judgements.withdraw(later, "ann")
    assert live(desk) == []


def test_what_a_run_has_used_is_not_taken_back(desk: Desk) -> None:
    reply = said(desk)
    pair = desk.judgements.correct(reply, "On its way.", "ann")
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 2)], [], "hash")
    with pytest.raises(ValueError, match=r"Run 1 has used this judgement.*Nothing was changed"):
        desk.judgements.withdraw(reply, "ann")
    assert judgement(desk, reply) == ("On its way.", False)
    assert live(desk) == [("On its way.", "train")]


def test_a_pair_whose_judgement_was_taken_back_is_neither_restored_nor_in_the_way(desk: Desk) -> None:
    reply = said(desk)
    pair = desk.judgements.approve(reply, "ann")
    desk.judgements.withdraw(reply, "ann")
    with pytest.raises(ValueError, match="undone"):
        desk.pairs.restore(pair.id, "ann")
    assert desk.pairs.add(NewPair(QUESTION, "No idea."), "import", "ann") is not None
    desk.judgements.approve(reply, "ann")
    assert judgement(desk, reply) == (None, True)
