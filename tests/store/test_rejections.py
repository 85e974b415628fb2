"""A reply that is wrong, of which nobody said what is right: how that stands, what it is worth, and how it goes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils

from store.conversations import Measured
from store.conversations.quality import Rate
from store.conversations.transcripts import as_json, as_markdown
from store.database import Database
from store.database.migrations import migrations
from store.database.schema import strange_parts
from store.desk import Desk
from store.importing import import_file
from store.pairs import NewPair
from store.records import Reply
from store.words import BASE, ERASED
from tests.store.test_desk import said

QUESTION = "Where is my order?"


def reply_of(desk: Desk, reply: int) -> Reply:
    found = desk.conversations.turn(reply).reply
    assert found is not None
    return found


def standing(desk: Desk, reply: int) -> str:
    found = reply_of(desk, reply)
    return "corrected" if found.correction else "approved" if found.approved else "wrong" * found.rejected


def live(desk: Desk) -> list[str]:
    return [pair.output for pair in desk.pairs.list()]


def test_a_rejection_makes_no_pair_and_is_undone(desk: Desk) -> None:
    reply = said(desk)
    turn = desk.judgements.reject(reply, "ann")
    assert turn.reply is not None
    assert (turn.reply.rejected, turn.reply.judged, live(desk)) == (True, True, [])
    desk.judgements.withdraw(reply, "ann")
    assert (standing(desk, reply), reply_of(desk, reply).judged) == ("", False)
    with pytest.raises(ValueError, match="nothing to undo"):
        desk.judgements.withdraw(reply, "ann")


def test_judgements_in_any_order_stand_and_come_back_one_by_one(desk: Desk) -> None:
    reply = said(desk)
    steps = [desk.judgements.approve, desk.judgements.reject] * 2
    words = []
    for step in steps:
        step(reply, "ann")
        words.append((standing(desk, reply), live(desk)))
    desk.judgements.correct(reply, "On its way.", "ann")
    assert words == [("approved", ["No idea."]), ("wrong", [])] * 2
    assert (standing(desk, reply), live(desk)) == ("corrected", ["On its way."])
    while words:
        desk.judgements.withdraw(reply, "ann")
        assert (standing(desk, reply), live(desk)) == words.pop()
    desk.judgements.withdraw(reply, "ann")
    assert (standing(desk, reply), live(desk)) == ("", [])


def test_what_is_known_already_or_is_no_whole_reply_is_refused(desk: Desk) -> None:
    reply = said(desk)
    desk.judgements.reject(reply, "ann")
    with pytest.raises(ValueError, match="marked as wrong already"):
        desk.judgements.reject(reply, "ann")
    desk.judgements.correct(reply, "On its way.", "ann")
    with pytest.raises(ValueError, match="corrected already"):
        desk.judgements.reject(reply, "ann")
    message = desk.conversations.turn(reply).in_reply_to
    assert message is not None
    stopped = desk.conversations.begin_reply(message, BASE, {})
    desk.conversations.finish_reply(stopped.id, "On", "stopped")
    with pytest.raises(ValueError, match="Only a complete reply"):
        desk.judgements.reject(stopped.id, "ann")


def test_the_pair_of_an_approval_that_was_wrong_is_restored_by_undoing_alone(desk: Desk) -> None:
    reply = said(desk)
    pair = desk.judgements.approve(reply, "ann")
    desk.judgements.reject(reply, "ann")
    with pytest.raises(ValueError, match="marked as wrong"):
        desk.pairs.restore(pair.id, "ann")
    assert desk.pairs.add(NewPair(QUESTION, "No idea."), "import", "ann") is None  # it does not come back by a file


def test_rejections_are_append_only_and_count_as_wrong(desk: Desk) -> None:
    wrong, good, corrected = said(desk), said(desk), said(desk)
    before = desk.quality.stamp()
    desk.judgements.reject(wrong, "ann")
    assert desk.quality.stamp() != before
    desk.judgements.approve(good, "ann")
    desk.judgements.correct(corrected, "On its way.", "ann")
    assert desk.quality.rates() == {BASE: Rate(3, 2)}
    for sql in ("UPDATE rejections SET id = id + 1", "DELETE FROM rejections"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            desk.db.run(sql)


# -- the queue -------------------------------------------------------------------------------------
def test_a_wrong_reply_stays_in_the_queue_before_all_others_until_it_is_corrected(desk: Desk) -> None:
    first, second, third = said(desk), said(desk), said(desk)
    assert desk.review.reject(third, "ann")
    assert not desk.review.reject(third, "jo")
    assert (desk.review.progress().left, desk.review.progress().wrong, desk.review.progress().today) == (3, 1, 0)

    def queue() -> list[int]:
        found: list[int] = []
        while (item := desk.review.next("least certain", found)) is not None and item.reply.id not in found:
            found.append(item.reply.id)
        return found

    assert queue() == [third, first, second]
    with pytest.raises(ValueError, match="stays in the queue"):
        desk.review.skip(third, "ann")
    assert desk.review.correct(third, "On its way.", "ann") is not None
    assert (queue(), desk.review.progress().left, desk.review.progress().wrong) == ([first, second], 2, 0)


def test_what_was_put_off_is_asked_about_again_at_the_end(desk: Desk) -> None:
    only = said(desk)
    desk.judgements.reject(only, "ann")
    assert (item := desk.review.next(later=[only])) is not None
    assert item.reply.id == only


def test_archived_conversations_wait_for_nobody(desk: Desk) -> None:
    reply = said(desk)
    desk.judgements.reject(reply, "ann")
    conversation = desk.conversations.turn(reply).conversation_id
    assert [listed.to_review for listed in desk.listing.rows([conversation])] == [1]
    assert desk.listing.ids("needs review") == [conversation]
    desk.conversations.archive(conversation, "ann")
    assert (desk.review.next(), desk.review.progress().left) == (None, 0)


# -- what can be learned of them -------------------------------------------------------------------
def test_mistakes_are_told_with_what_was_said_before(desk: Desk) -> None:
    first = said(desk)
    pair = desk.judgements.correct(first, "On its way.", "ann")
    message = desk.conversations.add_customer(desk.conversations.turn(first).conversation_id, "Since when?", "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {})
    desk.conversations.finish_reply(reply.id, "Never.", "complete", Measured())
    desk.judgements.reject(reply.id, "ann")
    (mistake,) = desk.mistakes.rejected()
    assert (mistake.reply_id, mistake.instruction, mistake.wrong) == (reply.id, "Since when?", "Never.")
    assert mistake.history == ((QUESTION, "On its way."),)
    assert desk.mistakes.corrected([pair.id, pair.id + 1]) == {pair.id: "No idea."}
    desk.judgements.correct(reply.id, "Since Monday.", "ann")
    assert desk.mistakes.rejected() == []


def test_what_a_pair_teaches_was_erased_or_names_a_person_is_no_mistake_to_learn_from(desk: Desk) -> None:
    desk.pairs.add(NewPair(QUESTION, "No idea.", split="train"), "import", "ann")
    desk.judgements.reject(said(desk), "ann")
    desk.judgements.reject(said(desk, "When?", f"Ask {ERASED}."), "ann")
    named = said(desk, "Whom do I ask?", "Ask ann.miller@example.org.")
    desk.judgements.reject(named, "ann")
    assert [mistake.reply_id for mistake in desk.mistakes.rejected()] == [named]
    pair = desk.judgements.correct(said(desk, "And whom else?", "Ask jo@example.org."), "Nobody.", "ann")
    assert desk.mistakes.corrected([pair.id]) == {pair.id: "Ask jo@example.org."}
    desk.settings.set("personal_data", "block", "ann")
    assert desk.mistakes.rejected() == []
    assert desk.mistakes.corrected([pair.id]) == {}


# -- files -----------------------------------------------------------------------------------------
def test_a_transcript_tells_it_and_its_import_does_not_teach_it(desk: Desk, tmp_path: Path) -> None:
    wrong = said(desk)
    desk.judgements.reject(wrong, "ann")
    conversation = desk.conversations.get(desk.conversations.turn(wrong).conversation_id)
    turns = desk.conversations.turns(conversation.id)
    assert ", wrong" in as_markdown(conversation, turns).replace("\\", "")
    (tmp_path / "told.json").write_text(as_json(conversation, turns), encoding="utf-8")
    with Desk.open(tmp_path / "another") as other:
        import_file(other, tmp_path / "told.json", who="ann")
        assert other.pairs.list(state="all") == []
        desk.judgements.withdraw(wrong, "ann")
        (tmp_path / "again.json").write_text(as_json(conversation, desk.conversations.turns(conversation.id)))
        import_file(other, tmp_path / "again.json", who="ann")
        assert len(other.pairs.list(state="all")) == 1


# -- desks of before -------------------------------------------------------------------------------
def test_judgements_of_a_desk_of_before_stand_and_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    old = SqliteUtils(path)
    migrations.apply(old, stop_before=["m017_rejections"])
    with old.conn:
        for statement in (
            "INSERT INTO conversations (id, title, source, created_at, created_by) VALUES (1, '', 'chat', '', '')",
            "INSERT INTO turns (id, conversation_id, role, text, created_at, created_by) "
            "VALUES (1, 1, 'customer', 'When?', '', '')",
            "INSERT INTO turns (id, conversation_id, role, text, in_reply_to, created_at, created_by) "
            "VALUES (2, 1, 'bot', 'Now.', 1, '', ''), (3, 1, 'bot', 'Then.', 1, '', '')",
            "INSERT INTO replies (turn_id, version, decoding, state) VALUES (2, 'v1', '{}', 'complete'), "
            "(3, 'v1', '{}', 'complete')",
            "INSERT INTO skips (reply_id, created_at, created_by) VALUES (3, '1', 'ann')",
            "INSERT INTO approvals (reply_id, created_at, created_by) VALUES (2, '1', 'ann')",
            "INSERT INTO corrections (reply_id, text, created_at, created_by) VALUES (2, 'At nine.', '2', 'ann')",
            "INSERT INTO withdrawals (correction_id, created_at, created_by) VALUES (1, '3', 'jo')",
        ):
            old.conn.execute(statement)
    old.conn.close()
    with Database(path) as db:
        assert [row[0] for row in db.all("SELECT judgement FROM replies")] == ["approved", "skipped"]
        assert [tuple(row) for row in db.all("SELECT * FROM withdrawals")] == [(1, 1, None, None, None, "3", "jo")]
        db.run("INSERT INTO rejections (reply_id, created_at, created_by) VALUES (2, '4', 'jo')")
        assert db.value("SELECT judgement FROM replies WHERE turn_id = 2") == "rejected"
        db.run("INSERT INTO withdrawals (rejection_id, created_at, created_by) VALUES (1, '5', 'jo')")
        assert db.value("SELECT judgement FROM replies WHERE turn_id = 2") == "approved"
        assert strange_parts(db.conn, db.value("PRAGMA user_version")) == []
