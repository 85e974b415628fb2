"""Hand-over: what the customer is told, what the bot would have said, and what operators make of it."""

from __future__ import annotations

import pytest

from store.conversations import Measured
from store.desk import Desk
from store.erasing.subject import Subject
from store.errors import Refused
from store.handing_over import DEFAULTS, hand_over_sentence
from store.settings import Settings
from store.settings.settings import SettingError
from store.words import Version

SENTENCE = "A colleague will answer you."


def replied(desk: Desk, text: str = "At nine.", *, handed_over: bool = False, state: str = "complete") -> int:
    """A reply to a message of its own conversation; returns its id."""
    message = desk.conversations.add_customer(desk.conversations.create("ann").id, "When do you open?", "ann")
    reply = desk.conversations.begin_reply(message.id, Version("v1"), {})
    measured = Measured(certainty=-0.2, chance=0.31, answer_from=0.62)
    desk.conversations.finish_reply(reply.id, text, state, measured)  # type: ignore[arg-type]
    if handed_over:
        desk.conversations.hand_over(reply.id, SENTENCE)
    return reply.id


def test_a_reply_keeps_its_chance_and_what_was_asked_of_it(desk: Desk) -> None:
    reply = desk.conversations.turn(replied(desk)).reply
    assert reply is not None
    assert (reply.chance, reply.answer_from, reply.unsure, reply.handed_over, reply.draft) == (
        0.31, 0.62, True, False, None,
    )  # fmt: skip


def test_handed_over_the_customer_reads_the_sentence_and_the_draft_is_kept(desk: Desk) -> None:
    turn = desk.conversations.turn(replied(desk, handed_over=True))
    assert turn.reply is not None
    assert (turn.text, turn.proposed, turn.reply.handed_over) == (SENTENCE, "At nine.", True)
    assert [found.id for found, _ in desk.search.turns("colleague")] == [turn.id]
    assert desk.search.turns("nine") == []


def test_what_was_handed_over_waits_before_everything_else_in_every_order(desk: Desk) -> None:
    first, waiting, later = replied(desk), replied(desk, handed_over=True), replied(desk, handed_over=True)
    for order in ("oldest", "least certain"):
        item = desk.review.next(order)
        assert item is not None
        assert item.reply.id == waiting
    desk.review.approve(waiting, "ann")
    desk.review.correct(later, "At ten.", "ann")
    item = desk.review.next()
    assert item is not None
    assert item.reply.id == first


def test_approving_teaches_the_draft_and_the_conversation_goes_on_from_it(desk: Desk) -> None:
    number = replied(desk, handed_over=True)
    pair = desk.judgements.approve(number, "ann")
    assert (pair.instruction, pair.output, pair.source) == ("When do you open?", "At nine.", "approval")
    later = desk.conversations.add_customer(desk.conversations.turn(number).conversation_id, "And Sunday?", "ann")
    assert desk.conversations.history(later.id) == (("When do you open?", "At nine."),)


def test_the_same_words_as_the_draft_are_an_approval_and_others_a_correction(desk: Desk) -> None:
    assert desk.judgements.correct(replied(desk, handed_over=True), "At nine.", "ann").source == "approval"
    assert desk.judgements.correct(replied(desk, handed_over=True), "At ten.", "ann").source == "correction"


def test_unjudged_the_conversation_goes_on_from_what_was_said(desk: Desk) -> None:
    number = replied(desk, handed_over=True)
    later = desk.conversations.add_customer(desk.conversations.turn(number).conversation_id, "And Sunday?", "ann")
    assert desk.conversations.history(later.id) == (("When do you open?", SENTENCE),)


def test_only_a_complete_reply_nobody_judged_is_handed_over_and_once(desk: Desk) -> None:
    judged = replied(desk)
    desk.judgements.approve(judged, "ann")
    for number in (judged, replied(desk, state="failed"), replied(desk, handed_over=True)):
        with pytest.raises(Refused):
            desk.conversations.hand_over(number, SENTENCE)


def test_erasing_a_conversation_erases_the_draft_too(desk: Desk) -> None:
    turn = desk.conversations.turn(replied(desk, "Your parcel 4711-0815 is at Hauptstrasse 9.", handed_over=True))
    desk.erasing.erase(Subject("conversation", number=turn.conversation_id), "ann")
    after = desk.conversations.turn(turn.id).reply
    assert after is not None
    assert "4711" not in (after.draft or "")


def test_the_sentence_is_the_desks_own_or_one_in_the_language_of_the_message() -> None:
    assert hand_over_sentence(Settings(), "Where is it?") == DEFAULTS["en"]
    assert hand_over_sentence(Settings(), "我的订单在哪里?") == DEFAULTS["zh"]
    assert hand_over_sentence(Settings(), "Wo ist es?", "de") == DEFAULTS["de"]
    own = Settings(hand_over_message={"en": "One moment.", "zh": "请稍等。"})
    assert hand_over_sentence(own, "在哪里?") == "请稍等。"
    assert hand_over_sentence(own, "どこですか?") == "One moment."


def test_settings_of_the_hand_over_are_checked(desk: Desk) -> None:
    desk.settings.set("hand_over_message", 'en = "One moment."', "ann")
    assert desk.settings.load().hand_over_message == {"en": "One moment."}
    for key, value in (("accepted_wrong", 0), ("hand_over", "maybe"), ("hand_over_message", 'en = ""')):
        with pytest.raises(SettingError):
            desk.settings.set(key, value, "ann")


def test_a_calibration_is_kept_once_for_each_version(desk: Desk) -> None:
    from tests.core.conftest import make_version

    make_version(desk)
    assert (desk.calibrations.get(Version("v1")), desk.calibrations.stamp(Version("v1"))) == (None, None)
    desk.calibrations.put(Version("v1"), {"heldout": 3})
    desk.calibrations.put(Version("v1"), {"heldout": 4})
    assert desk.calibrations.get(Version("v1")) == {"heldout": 4}
