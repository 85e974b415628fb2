"""The desk: what is kept, what never changes, who waits for whom."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.conversations import Measured
from store.database import DeskBusy, DeskUnreadable
from store.desk import Desk
from store.home import Home
from store.pairs import NewPair
from store.runs import RunAlreadyLive, RunLock, WrongTransition
from store.settings import SettingError
from store.versions import NewVersion
from store.words import BASE, RunState, Version
from store.writing import new_file


def said(desk: Desk, question: str = "Where is my order?", answer: str = "No idea.") -> int:
    """A finished reply; returns its id."""
    conversation = desk.conversations.create("ann")
    message = desk.conversations.add_customer(conversation.id, question, "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {"do_sample": False})
    desk.conversations.finish_reply(reply.id, answer, "complete", Measured(3, 0.5, 0.1))
    return reply.id


# -- files -----------------------------------------------------------------------------------------
def test_only_the_owner_can_read_a_desk_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Desk.open(tmp_path / "home") as desk:
            said(desk)
            for path in desk.home.root.iterdir():
                mode = stat.S_IMODE(path.stat().st_mode)
                assert mode == (0o700 if path.is_dir() else 0o600) or path.name == "models", path
            assert stat.S_IMODE(desk.home.root.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_the_database_is_in_wal_mode_with_foreign_keys(desk: Desk) -> None:
    assert desk.db.value("PRAGMA journal_mode") == "wal"
    with pytest.raises(sqlite3.IntegrityError):
        desk.db.run("INSERT INTO approvals (reply_id, created_at, created_by) VALUES (99, '', '')")


def test_two_processes_writing_at_once_lose_no_row(tmp_path: Path) -> None:
    Desk.open(tmp_path).close()
    code = (
        "import sys; from store.desk import Desk\n"
        "with Desk.open(sys.argv[1]) as desk:\n"
        "    c = desk.conversations.create('x')\n"
        "    for n in range(60): desk.conversations.add_customer(c.id, f'message {n}', 'x')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Desk.open(tmp_path) as desk:
        assert [len(desk.conversations.turns(c.id)) for c in desk.conversations.list()] == [60, 60, 60]


@pytest.mark.parametrize("table", ["corrections", "approvals", "promotions", "run_events", "run_states"])
def test_what_is_append_only_can_not_be_changed_or_deleted(desk: Desk, table: str) -> None:
    reply = said(desk)
    desk.judgements.correct(reply, "It is on its way.", "ann")
    desk.judgements.approve(reply, "ann")
    desk.promotions.promote(BASE, "manual", "ann")
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.add_event(run.id, "note", {})
    for sql in (f"UPDATE {table} SET id = id + 1", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            desk.db.run(sql)


def test_a_block_that_fails_leaves_nothing(desk: Desk) -> None:
    def fail() -> None:
        with desk.atomic():
            said(desk)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert desk.conversations.list() == []


def test_apps_that_open_a_new_desk_at_the_same_moment_all_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; from store.desk import Desk\n"
        "for _ in range(3):\n"
        "    with Desk.open(sys.argv[1]) as desk: desk.conversations.create('x')"
    )
    apps = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "new")]) for _ in range(4)]
    assert [app.wait() for app in apps] == [0, 0, 0, 0]
    with Desk.open(tmp_path / "new") as desk:
        assert len(desk.conversations.list()) == 12


def test_replacing_a_row_does_not_get_past_append_only(tmp_path: Path) -> None:
    Desk.open(tmp_path).close()
    with Desk.open(tmp_path) as desk:  # opened again: no longer by way of the migrations
        desk.promotions.promote(BASE, "manual", "ann")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            desk.db.run("INSERT OR REPLACE INTO promotions (id, kind, at, who) VALUES (1, 'manual', '', '')")


def test_a_desk_of_a_newer_deskloop_is_left_alone(tmp_path: Path) -> None:
    with Desk.open(tmp_path) as desk:
        desk.db.run("PRAGMA user_version = 99")
    with pytest.raises(DeskUnreadable, match="newer"):
        Desk.open(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "desk.db")) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (99,)


def test_a_damaged_desk_is_told_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"nothing of sqlite " * 99)
    with pytest.raises(DeskUnreadable) as caught:
        Desk.open(tmp_path)
    assert "damaged" in caught.value.sentence


def test_a_writer_that_waited_too_long_is_told_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with Desk.open(desk.home) as other:
        other.db.run("PRAGMA busy_timeout = 0")
        with desk.atomic():
            with pytest.raises(DeskBusy):
                other.conversations.create("bob")
            with pytest.raises(DeskBusy), other.atomic():
                pass
        other.conversations.create("bob")


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_an_odd_umask_neither_opens_nor_locks_a_file(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        home = Home.open(tmp_path / "home")
        with new_file(home.exports / "x") as file:
            file.write(b"text")
        assert RunLock(home).acquire()
    finally:
        os.umask(before)
    for path in (home.exports / "x", home.run_lock):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


# -- conversations ---------------------------------------------------------------------------------
def test_a_reply_counts_as_failed_until_it_is_finished(desk: Desk) -> None:
    conversation = desk.conversations.create("ann")
    message = desk.conversations.add_customer(conversation.id, "Hello", "ann")
    reply = desk.conversations.begin_reply(message.id, Version("v3"), {})
    desk.conversations.extend_reply(reply.id, "Good mor")
    kept = desk.conversations.turn(reply.id)
    assert kept.reply is not None
    assert (kept.text, kept.reply.state, kept.reply.finished_at) == ("Good mor", "failed", None)
    desk.conversations.finish_reply(reply.id, "Good morning", "complete")
    with pytest.raises(ValueError, match="finished already"):
        desk.conversations.finish_reply(reply.id, "again", "complete")
    desk.conversations.extend_reply(reply.id, "late")
    assert desk.conversations.turn(reply.id).text == "Good morning"


def test_history_takes_the_newest_good_reply_and_corrections(desk: Desk) -> None:
    chats = desk.conversations
    conversation = chats.create("ann")
    first = chats.add_customer(conversation.id, "One", "ann")
    for text, state in (("old", "complete"), ("new", "complete"), ("broken", "failed")):
        reply = chats.begin_reply(first.id, BASE, {})
        chats.finish_reply(reply.id, text, state)  # type: ignore[arg-type]
    lonely = chats.add_customer(conversation.id, "Nobody answered this", "ann")
    last = chats.add_customer(conversation.id, "Two", "ann")
    assert chats.history(last.id) == (("One", "new"),)
    new = next(turn for turn in chats.turns(conversation.id) if turn.text == "new")
    desk.judgements.correct(new.id, "right", "ann")
    assert chats.history(last.id) == (("One", "right"),)
    desk.judgements.approve(new.id, "ann")
    assert chats.history(last.id) == (("One", "new"),)
    assert chats.history(lonely.id) == (("One", "new"),)


def test_history_takes_the_correction_of_a_reply_that_failed(desk: Desk) -> None:
    chats = desk.conversations
    conversation = chats.create("ann")
    first = chats.add_customer(conversation.id, "One", "ann")
    reply = chats.begin_reply(first.id, BASE, {})
    chats.finish_reply(reply.id, "brok", "failed")
    last = chats.add_customer(conversation.id, "Two", "ann")
    assert chats.history(last.id) == ()
    desk.judgements.correct(reply.id, "right", "ann")
    assert chats.history(last.id) == (("One", "right"),)


def test_a_reply_that_is_still_being_written_is_not_judged(desk: Desk) -> None:
    conversation = desk.conversations.create("ann")
    message = desk.conversations.add_customer(conversation.id, "Hello", "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {})
    with pytest.raises(ValueError, match="not finished"):
        desk.judgements.correct(reply.id, "Good day.", "ann")
    with pytest.raises(ValueError, match="no reply"):
        desk.judgements.approve(message.id, "ann")


def test_the_first_message_is_the_title_and_lists_page(desk: Desk) -> None:
    said(desk, "Where is\nmy order? " + "x" * 100)
    assert desk.conversations.list()[0].title.startswith("Where is my order? x")
    assert len(desk.conversations.list()[0].title) <= 60
    number = desk.conversations.list()[0].id
    turns = desk.conversations.turns(number)
    assert desk.conversations.turns(number, limit=1) == turns[-1:]
    assert desk.conversations.turns(number, before_id=turns[-1].id) == turns[:-1]
    desk.conversations.archive(number, "ann")
    assert desk.conversations.list() == []
    assert len(desk.conversations.list(archived=True)) == 1


# -- search ----------------------------------------------------------------------------------------
def test_search_finds_english_and_two_chinese_characters(desk: Desk) -> None:
    said(desk, "我昨天买的鞋子想退货可以吗", "可以，请在三十天内退货。")
    said(desk, "Where are my BOOTS?", "They are on their way.")
    assert {turn.role for turn, _ in desk.search.turns("退货")} == {"customer", "bot"}
    assert not desk.search.turns("货退")
    assert [turn.text for turn, _ in desk.search.turns("boot")] == ["Where are my BOOTS?"]
    assert len(desk.listing.ids(query="退货")) == 1
    for hostile in ('"', "a OR b", "NEAR(", "col:x", "*", "%", "'; DROP TABLE turns; --"):
        desk.search.turns(hostile)
        desk.listing.ids(query=hostile)
    desk.pairs.add(NewPair("如何申请发票", "在订单页申请。"), "import", "ann")
    assert [pair.instruction for pair in desk.pairs.list(query="发票")] == ["如何申请发票"]


def test_a_search_looks_at_every_row_whatever_it_is_narrowed_by(desk: Desk) -> None:
    news = [NewPair("first parking question", "yes", split="heldout")]
    news += [NewPair(f"parking {n}", "yes", split="train") for n in range(600)]
    desk.pairs.add_many(news, "import", "ann")
    assert desk.pairs.count(query="parking") == 601
    assert [pair.instruction for pair in desk.pairs.list(query="parking", split="heldout")] == [
        "first parking question"
    ]
    assert desk.pairs.count(query="?!") == 0


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_no_query_fails(desk: Desk, query: str) -> None:
    desk.search.turns(query)
    desk.pairs.list(query=query)
    desk.listing.ids(query=query)
    desk.pairs.count(query=query)


# -- judgements and sides --------------------------------------------------------------------------
def test_every_correction_trains_even_where_its_question_was_a_test(desk: Desk) -> None:
    test = desk.pairs.add(NewPair("Where is my order?", "Old answer.", split="heldout"), "import", "ann")
    assert test is not None
    pair = desk.judgements.correct(said(desk), "It is on its way.", "ann")
    assert (pair.split, pair.source) == ("train", "correction")
    assert desk.pairs.get(test.id).excluded_at is not None
    assert desk.pairs.heldout_set() == []


def test_a_newer_judgement_supersedes_the_older(desk: Desk) -> None:
    reply = said(desk)
    first = desk.judgements.correct(reply, "One.", "ann")
    second = desk.judgements.correct(reply, "Two.", "bob")
    assert desk.pairs.get(first.id).superseded_by == second.id
    assert [pair.output for pair, _ in desk.pairs.training_set()] == ["Two."]
    turn = desk.conversations.turn(reply)
    assert turn.reply is not None
    assert turn.reply.correction == "Two."
    assert desk.judgements.correct(reply, "No idea.", "ann").source == "approval"


@pytest.mark.parametrize("text", ["", "  \n", "\x1b[31m"])
def test_an_empty_correction_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        desk.judgements.correct(said(desk), text, "ann")


def test_one_question_is_never_on_both_sides(desk: Desk) -> None:
    desk.pairs.add(NewPair("Where is it?", "Here.", split="heldout"), "import", "ann")
    follower = desk.pairs.add(NewPair("WHERE  is it?", "There.", split="train"), "import", "ann")
    assert follower is not None
    assert follower.split == "heldout"


def test_the_held_out_share_is_kept_and_decided_by_hash(desk: Desk) -> None:
    desk.pairs.add_many((NewPair(f"question {n}", "answer") for n in range(500)), "import", "ann")
    assert 60 <= desk.pairs.count(split="heldout") <= 140


def test_what_was_trained_on_never_becomes_a_test(desk: Desk) -> None:
    pair = desk.pairs.add(NewPair("Where?", "Here.", split="train"), "import", "ann")
    other = desk.pairs.add(NewPair("When?", "Now.", split="train"), "import", "ann")
    assert pair is not None
    assert other is not None
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 1)], [], "hash")
    with pytest.raises(ValueError, match="trained on"):
        desk.pairs.pin(pair.id)
    with pytest.raises(sqlite3.IntegrityError, match="cannot become a test"):
        desk.db.run("UPDATE splits SET split = 'heldout' WHERE used_by_run IS NOT NULL")
    assert desk.pairs.pin(other.id).split == "heldout"


def test_conflicts_and_the_operators_last_word(desk: Desk) -> None:
    desk.pairs.add(NewPair("Where is my order?", "A.", split="train"), "import", "ann")
    desk.pairs.add(NewPair("where is my order?", "B.", split="train"), "import", "ann")
    assert [len(conflict.ids) for conflict in desk.conflicts.open()] == [2]
    assert len(desk.pairs.training_set()) == 2
    desk.judgements.correct(said(desk), "C.", "ann")
    assert [(pair.output, new) for pair, new in desk.pairs.training_set()] == [("C.", True)]


def test_corrections_wait_until_the_active_version_knows_them(desk: Desk) -> None:
    pair = desk.judgements.correct(said(desk), "It is on its way.", "ann")
    assert desk.judgements.waiting() == 1
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 8)], [], "hash")
    desk.versions.add(NewVersion(1, "sha", "base", "qlora", {}, run.id))
    assert desk.judgements.waiting() == 1
    desk.promotions.promote(Version("v1"), "gate", "ann", run_id=run.id)
    assert desk.judgements.waiting() == 0
    desk.promotions.promote(BASE, "rollback", "ann")
    assert desk.judgements.waiting() == 1


def test_two_corrections_of_one_question_do_not_wait_for_ever(desk: Desk) -> None:
    desk.judgements.correct(said(desk), "One.", "ann")
    last = desk.judgements.correct(said(desk), "Two.", "ann")
    assert [pair.id for pair in desk.judgements.waiting_pairs()] == [last.id]
    assert desk.conflicts.open() == []
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 1) for pair, _ in desk.pairs.training_set()], [], "hash")
    desk.versions.add(NewVersion(1, "sha", "base", "qlora", {}, run.id))
    desk.promotions.promote(Version("v1"), "gate", "ann", run_id=run.id)
    assert desk.judgements.waiting() == 0


def test_an_excluded_pair_keeps_its_day_and_comes_back(desk: Desk) -> None:
    pair = desk.pairs.add(NewPair("Where?", "Here.", split="train"), "import", "ann")
    assert pair is not None
    first = desk.pairs.exclude(pair.id, "ann", "wrong")
    assert desk.pairs.exclude(pair.id, "bob") == first
    assert desk.pairs.training_set() == []
    assert desk.pairs.restore(pair.id, "ann").excluded_at is None


def test_half_an_exchange_of_the_history_is_left_out(desk: Desk) -> None:
    history = (("Hi", " "), ("\u200b", "Hello"), ("One", "Two"))
    pair = desk.pairs.add(NewPair("Where?", "Here.", history), "import", "ann")
    assert pair is not None
    assert pair.history == (("One", "Two"),)


@pytest.mark.parametrize("text", ["x" * 200_001, " \u200b"])
def test_a_pair_with_a_side_that_is_empty_or_endless_is_refused(desk: Desk, text: str) -> None:
    for pair in (NewPair(text, "Here."), NewPair("Where?", text)):
        with pytest.raises(ValueError, match=r"(empty|longer).*\.$"):
            desk.pairs.add(pair, "import", "ann")


def test_adding_many_is_all_or_nothing(desk: Desk) -> None:
    with pytest.raises(ValueError, match="empty"):
        desk.pairs.add_many([NewPair("Where?", "Here."), NewPair("When?", "")], "import", "ann")
    assert desk.pairs.count() == 0
    desk.pairs.add(NewPair("Where?", "Here."), "import", "ann")  # the key of the sides was not lost with it
    with Desk.open(desk.home) as other:
        again = other.pairs.add(NewPair("where?", "There."), "import", "ann")
    assert again is not None
    assert again.split == desk.pairs.get(1).split
    assert desk.db.value("SELECT count(*) FROM splits") == 1


# -- runs ------------------------------------------------------------------------------------------
def test_one_live_run_a_desk_also_from_two_apps(desk: Desk) -> None:
    run = desk.runs.create({}, BASE, "ann")
    with Desk.open(desk.home) as other, pytest.raises(RunAlreadyLive):
        other.runs.create({}, BASE, "bob")
    desk.runs.transition(run.id, "cancelled")
    assert desk.runs.create({}, BASE, "bob").id == run.id + 1


def test_transitions_are_checked_and_timed(desk: Desk) -> None:
    run = desk.runs.create({}, BASE, "ann")
    for wrong in ("promoted", "held", "evaluating", "nonsense"):
        with pytest.raises(WrongTransition):
            desk.runs.transition(run.id, wrong)  # type: ignore[arg-type]
    states: tuple[RunState, ...] = ("training", "evaluating", "held")
    for state in states:
        desk.runs.transition(run.id, state)
    assert [state for state, _ in desk.runs.states(run.id)] == ["queued", "training", "evaluating", "held"]
    assert desk.runs.get(run.id).finished_at is not None
    with pytest.raises(WrongTransition):
        desk.runs.transition(run.id, "queued")


def test_a_live_run_whose_process_is_gone_is_interrupted_and_one_that_lives_is_not(desk: Desk) -> None:
    run = desk.runs.create({}, BASE, "ann")
    lock = RunLock(desk.home)
    assert lock.acquire()
    assert not RunLock(desk.home).acquire()
    assert desk.runs.mark_interrupted() == []
    lock.release()
    assert [found.id for found in desk.runs.mark_interrupted()] == [run.id]
    assert desk.runs.transition(run.id, "queued").finished_at is None


# -- promotions ------------------------------------------------------------------------------------
def test_rolling_back_goes_down_the_stack_to_the_base(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.versions.add(NewVersion(number, "sha", "base", "qlora", {}, None))
        desk.promotions.promote(Version(f"v{number}"), "gate", "ann")
    order = []
    while (target := desk.promotions.rollback_target()) is not None:
        desk.promotions.promote(target, "rollback", "ann")
        order.append(target)
    assert order == ["v2", "v1", "base"]
    desk.promotions.promote(Version("v3"), "manual", "ann")
    assert desk.promotions.rollback_target() == "base"


def test_an_unknown_version_and_a_force_without_reason_are_refused(desk: Desk) -> None:
    with pytest.raises(LookupError):
        desk.promotions.promote(Version("v9"), "manual", "ann")
    with pytest.raises(ValueError, match="reason"):
        desk.promotions.promote(BASE, "forced", "ann", " ")


# -- settings --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "value"),
    [("quantization", "int3"), ("heldout_share", "2"), ("heldout_share", "much"), ("min_pairs", "1.5"), ("base", " "),
     ("natural", '{"temperature": 9}'), ("natural", '{"colour": 1}'), ("natural", "[]"), ("nothing", "1")],
)  # fmt: skip
def test_wrong_settings_are_refused_with_a_sentence_and_left(desk: Desk, key: str, value: str) -> None:
    before = desk.settings.load()
    with pytest.raises(SettingError, match=r"\.$"):
        desk.settings.set(key, value, "ann")
    assert desk.settings.load() == before


def test_settings_are_kept_and_what_no_longer_fits_falls_back(desk: Desk) -> None:
    desk.settings.set("natural", '{"temperature": 0.5}', "ann")
    desk.settings.set("heldout_share", "0.3", "ann")
    desk.db.run("UPDATE settings SET value = '7' WHERE key = 'heldout_share'")
    loaded = desk.settings.load()
    assert (loaded.natural, loaded.heldout_share) == ({"temperature": 0.5}, 0.2)


def test_a_second_connection_of_one_process_leaves_the_first_ones_locks_alone(desk: Desk) -> None:
    """The trap: closing any descriptor of a file drops all POSIX locks that the process has on it. The next process to
    close the desk then took itself for the last one and deleted the log that this process went on writing to."""

    def elsewhere(code: str) -> str:
        program = f"import sys; from store.desk import Desk\nwith Desk.open(sys.argv[1]) as desk: {code}"
        command = [sys.executable, "-c", program, str(desk.home.root)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with Desk.open(desk.home.root):
        pass
    elsewhere("desk.conversations.create('jo')")
    desk.conversations.create("maria")
    assert elsewhere("print(desk.db.value('SELECT count(*) FROM conversations'))") == "2"
    with Desk.open(desk.home.root) as again:
        assert again.db.value("SELECT count(*) FROM conversations") == 2
