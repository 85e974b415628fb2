"""The review queue: what is in it, in which order, and what leaves it."""

from __future__ import annotations

from store.conversations import Measured
from store.desk import Desk
from store.words import BASE, Version
from tests.store.test_desk import said


def sure(desk: Desk, certainty: float | None, state: str = "complete", version: str = "v1") -> int:
    """A reply of which the bot was so sure; returns its id."""
    message = desk.conversations.add_customer(desk.conversations.create("ann").id, "When?", "ann")
    reply = desk.conversations.begin_reply(message.id, Version(version), {})
    desk.conversations.finish_reply(reply.id, "Now.", state, Measured(certainty=certainty))  # type: ignore[arg-type]
    return reply.id


def drained(desk: Desk, order: str) -> list[int]:
    """Every reply of the queue in its order; each is skipped."""
    found = []
    while (item := desk.review.next(order)) is not None:  # type: ignore[arg-type]
        found.append(item.reply.id)
        assert desk.review.skip(item.reply.id, "ann")
    return found


def test_the_queue_is_read_from_the_oldest_or_from_the_least_certain(desk: Desk) -> None:
    replies = [sure(desk, certainty) for certainty in (None, -0.2, -1.5, -0.7)]
    assert drained(desk, "oldest") == replies
    for reply in replies:
        desk.judgements.withdraw(reply, "ann")
    assert drained(desk, "least certain") == [replies[2], replies[3], replies[1], replies[0]]


def test_in_the_queue_are_complete_replies_of_the_bot_that_nobody_judged(desk: Desk) -> None:
    for state, version in (("failed", "v1"), ("stopped", "v1"), ("complete", "imported")):
        sure(desk, -0.1, state, version)
    archived = sure(desk, -0.1)
    desk.conversations.archive(desk.conversations.turn(archived).conversation_id, "ann")
    desk.judgements.approve(sure(desk, -0.1), "ann")
    desk.judgements.correct(sure(desk, -0.1), "Later.", "ann")
    assert (desk.review.progress().today, desk.review.progress().left) == (2, 0)
    assert desk.review.next() is None
    waiting = sure(desk, -0.1)
    assert desk.review.progress().left == 1
    assert (item := desk.review.next()) is not None
    assert (item.reply.id, item.message.text, item.before) == (waiting, "When?", None)


def test_the_exchange_before_is_shown(desk: Desk) -> None:
    first = said(desk)
    desk.judgements.correct(first, "On its way.", "ann")
    message = desk.conversations.add_customer(desk.conversations.turn(first).conversation_id, "Since when?", "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {})
    desk.conversations.finish_reply(reply.id, "Monday.", "complete")
    assert (item := desk.review.next()) is not None
    assert item.before == ("Where is my order?", "On its way.")


def test_what_another_operator_judged_meanwhile_is_left_as_it_is(desk: Desk) -> None:
    reply = said(desk)
    desk.judgements.correct(reply, "On its way.", "jo")
    assert desk.review.approve(reply, "ann") is None
    assert desk.review.correct(reply, "Lost.", "ann") is None
    assert desk.review.skip(reply, "ann") is False
    assert [pair.output for pair in desk.pairs.list()] == ["On its way."]


def test_a_reply_that_was_skipped_or_judged_comes_back_when_that_is_taken_back(desk: Desk) -> None:
    reply = said(desk)
    desk.review.skip(reply, "ann")
    assert (desk.review.next(), desk.conversations.turn(reply).reply.skipped) == (None, True)  # type: ignore[union-attr]
    desk.judgements.withdraw(reply, "ann")
    assert desk.review.waits(reply)
    desk.review.approve(reply, "ann")
    assert not desk.review.waits(reply)
    desk.judgements.withdraw(reply, "ann")
    assert desk.review.waits(reply)
    assert desk.review.progress().today == 0


def test_looking_for_the_next_reply_reads_no_judged_one(desk: Desk) -> None:
    for order in ("r.turn_id", "(r.chance IS NULL), r.chance, (r.certainty IS NULL), r.certainty, r.turn_id"):
        plan = desk.db.all(
            "EXPLAIN QUERY PLAN SELECT r.turn_id FROM replies r WHERE r.judgement IS NULL AND r.state = 'complete' "
            f"AND r.version != 'imported' ORDER BY {order} LIMIT 1"
        )
        assert "replies_to_review" in plan[0]["detail"]
        assert len(plan) == 1  # no sorting
