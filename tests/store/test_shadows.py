"""A version that answers unseen: what it still has to answer, what ends it, and what it said."""

from __future__ import annotations

import pytest

from store.desk import Desk
from store.errors import NotThere
from store.versions import NewVersion
from store.words import BASE, Version

V1, V2 = Version("v1"), Version("v2")


@pytest.fixture(autouse=True)
def versions(desk: Desk) -> None:
    for number in (1, 2):
        desk.versions.add(NewVersion(number, str(number) * 64, "f" * 64, "qlora", {}, None))


def say(desk: Desk, message: str, answer: str, version: Version = BASE) -> int:
    """One exchange in a conversation of its own; returns the reply."""
    turn = desk.conversations.add_customer(desk.conversations.create("maria").id, message, "maria")
    reply = desk.conversations.begin_reply(turn.id, version, {})
    desk.conversations.finish_reply(reply.id, answer, "complete")
    return reply.id


def answer(desk: Desk, version: Version, text: str) -> int | None:
    """Answer the next question; returns the reply it was about."""
    asked = desk.shadows.next()
    if asked is not None:
        desk.shadows.keep(asked, version, text)
    return None if asked is None else asked.reply


def test_it_answers_what_was_said_since_it_was_turned_on_each_reply_once_and_the_oldest_first(desk: Desk) -> None:
    say(desk, "Before?", "Yes.")
    assert desk.shadows.next() is None
    desk.shadows.turn_on(V1, "maria")
    assert desk.shadows.next() is None
    replies = [say(desk, "One?", "1"), say(desk, "Two?", "2")]
    say(desk, "Mine?", "Its own answer.", V1)
    begun = desk.conversations.add_customer(desk.conversations.create("maria").id, "Now?", "maria")
    desk.conversations.begin_reply(begun.id, BASE, {})  # is not finished
    desk.shadows.turn_on(V1, "maria")  # it is on already
    assert [answer(desk, V1, "Unseen") for _ in range(3)] == [*replies, None]
    assert [(row.question, row.sent, row.said) for row in desk.shadows.answers(V1)] == [
        ("Two?", "2", "Unseen"),
        ("One?", "1", "Unseen"),
    ]
    desk.shadows.turn_on(V2, "maria")
    assert desk.shadows.next() is None
    assert len(desk.shadows.answers(V1)) == 2  # what it said stays


def test_there_is_one_at_a_time_and_it_is_turned_off_by_a_wish_or_with_a_reason(desk: Desk) -> None:
    assert desk.shadows.current() is None
    with pytest.raises(NotThere):
        desk.shadows.turn_on(Version("v9"), "maria")
    desk.shadows.turn_on(V1, "maria")
    desk.shadows.turn_on(V2, "maria")
    assert desk.shadows.current() == V2
    desk.shadows.turn_off("maria")
    assert (desk.shadows.current(), desk.shadows.ended_because()) == (None, None)
    desk.shadows.turn_on(V1, "maria")
    desk.shadows.turn_off("maria", "v1 failed.")
    desk.shadows.turn_off("maria")  # it is off already
    assert desk.shadows.ended_because() == "v1 failed."
    desk.shadows.turn_on(V1, "maria")
    assert desk.shadows.ended_because() is None


def test_it_ends_by_itself_when_it_is_activated_or_removed_and_not_with_another(desk: Desk) -> None:
    desk.shadows.turn_on(V1, "maria")
    desk.promotions.promote(V2, "manual", "maria")
    desk.versions.remove(Version("v1"), "maria", "erased")
    assert (desk.shadows.current(), desk.shadows.ended_because()) == (None, "The files of v1 were removed.")
    desk.promotions.promote(BASE, "manual", "maria")
    desk.shadows.turn_on(V2, "maria")
    desk.promotions.promote(V2, "manual", "maria")
    assert (desk.shadows.current(), desk.shadows.ended_because()) == (None, "v2 was activated.")


def test_what_was_said_stands_beside_what_operators_thought_of_the_reply(desk: Desk) -> None:
    desk.shadows.turn_on(V1, "maria")
    corrected, approved = say(desk, "When?", "At ten."), say(desk, "Where?", "Here.")
    desk.judgements.correct(corrected, "At nine.", "maria")
    desk.judgements.approve(approved, "maria")
    answer(desk, V1, "At nine.")
    answer(desk, V1, "There.")
    there, nine = desk.shadows.answers(V1)
    assert (nine.correction, nine.judgement, nine.sent_by) == ("At nine.", "corrected", BASE)
    assert (there.correction, there.judgement) == (None, "approved")
    desk.judgements.withdraw(corrected, "maria")
    assert desk.shadows.answers(V1)[1].correction is None


def test_an_answer_to_what_was_changed_meanwhile_is_not_kept_nor_a_second_one(desk: Desk) -> None:
    desk.shadows.turn_on(V1, "maria")
    say(desk, "I am Quillfeather. When?", "At ten.")
    asked = desk.shadows.next()
    assert asked is not None
    desk.db.run("UPDATE turns SET text = 'I am [erased]. When?' WHERE id = ?", asked.message)
    desk.shadows.keep(asked, V1, "At ten, Quillfeather.")
    assert desk.shadows.answers(V1) == []
    asked = desk.shadows.next()
    assert asked is not None
    desk.shadows.keep(asked, V1, "first")
    desk.shadows.keep(asked, V1, "second")
    assert [row.said for row in desk.shadows.answers(V1)] == ["first"]
