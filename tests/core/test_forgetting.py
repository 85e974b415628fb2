"""After an erasure: what is left of runs and versions opens, and the chat goes on."""

from __future__ import annotations

import asyncio

import pytest

from bot.engines.scripted import Script
from bot.types import EngineError
from store.erasing import Subject
from store.pairs import NewPair
from store.records import JudgedAnswer
from store.runs import RunLock
from store.words import BASE, ERASED, Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tui.core import DeskError, OpenDesk, ReplyDelta, ReplyFinished
from tui.core.adapters import card, overview
from tui.core.erasing import forget, removable, remove_versions
from tui.core.history import history
from tui.core.reports import changes, version_details

NAME = "Quillfeather"


def learned(open_desk: OpenDesk) -> Version:
    """A promoted version that learned a pair with a name; returns it."""
    desk = store_of(open_desk)
    pair = desk.pairs.add(NewPair(f"Who is {NAME}?", "A customer.", split="train"), "import", "tester")
    assert pair is not None
    name = make_version(desk, "promote")
    run = desk.versions.get(Version(name)).run_id
    assert run is not None
    desk.runs.set_snapshot(run, [(pair.id, 1)], [], "0")
    rows = [JudgedAnswer(pair.id, "correction", f"{NAME}?", "A customer.", f"{NAME}!", "learned")]
    desk.runs.save_report(run, "promote", {"bleu": {"active": 1.0, "candidate": 2.0}, "sentence": "Good."}, rows)
    desk.promotions.promote(Version(name), "gate", "tester", run_id=run)
    return name


async def test_what_was_learned_still_opens(open_desk: OpenDesk) -> None:
    name = learned(open_desk)
    forget(store_of(open_desk), Subject.of_text(NAME), "tester")
    run = store_of(open_desk).versions.get(Version(name)).run_id
    assert run is not None
    assert [(one.question, one.answer.before) for one in changes(store_of(open_desk), run)] == [
        (f"Who is {ERASED}?", f"{ERASED}?")
    ]
    assert "learned something that has been erased" in str(version_details(store_of(open_desk), Version(name)))
    assert card(store_of(open_desk), open_desk.promotions.known(Version(name)))["erased"] is True
    assert overview(store_of(open_desk))[-1].standing == "learned erased data"
    assert history(store_of(open_desk))
    assert store_of(open_desk).pair_stories.story(1).runs[0].before == f"{ERASED}?"


async def test_a_version_that_fails_never_brings_erased_words_back_by_itself(
    open_desk: OpenDesk, script: Script
) -> None:
    learned(open_desk)
    forget(store_of(open_desk), Subject.of_text(NAME), "tester")
    bad = make_version(store_of(open_desk))
    store_of(open_desk).promotions.promote(Version(bad), "manual", "tester")
    script.unfit[bad] = EngineError("probe-failed", "It does not answer as it did.")
    await open_desk.engine.start()
    assert open_desk.promotions.active == "base"


async def test_the_reply_of_the_moment_ends_without_its_words(open_desk: OpenDesk, script: Script) -> None:
    await open_desk.engine.start()
    script.deltas, script.pause = [f"Hello {NAME}, ", "how are you?"], asyncio.Event()
    conversation = store_of(open_desk).conversations.create("tester").id
    finished = None
    async for event in open_desk.chat.send(conversation, f"I am {NAME}"):
        if isinstance(event, ReplyDelta) and not script.pause.is_set():
            forget(store_of(open_desk), Subject.of_text(NAME), "tester")
            script.pause.set()
        if isinstance(event, ReplyFinished):
            finished = event
    assert finished is not None
    assert NAME not in "".join(turn.text for turn in store_of(open_desk).conversations.turns(conversation))


async def test_nothing_is_removed_while_a_run_is_live_or_a_version_answers(open_desk: OpenDesk) -> None:
    name = learned(open_desk)
    forget(store_of(open_desk), Subject.of_text(NAME), "tester")
    assert removable(store_of(open_desk)) == []
    store_of(open_desk).promotions.promote(BASE, "manual", "tester")
    lock = RunLock(open_desk.home)
    assert lock.acquire()
    with pytest.raises(DeskError, match="A retraining is in progress"):
        remove_versions(store_of(open_desk), "tester")
    lock.release()
    assert remove_versions(store_of(open_desk), "tester") == [name]
    assert remove_versions(store_of(open_desk), "tester") == []


async def test_a_folder_with_a_file_of_somebody_elses_is_left(open_desk: OpenDesk) -> None:
    name = learned(open_desk)
    forget(store_of(open_desk), Subject.of_text(NAME), "tester")
    store_of(open_desk).promotions.promote(BASE, "manual", "tester")
    notes = open_desk.home.adapters / name / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(DeskError, match="was not made by deskloop"):
        remove_versions(store_of(open_desk), "tester")
    assert notes.read_text() == "mine"
    assert store_of(open_desk).versions.removed() == {}
    notes.unlink()
    assert remove_versions(store_of(open_desk), "tester") == [name]


async def test_a_link_in_the_place_of_a_version_is_left(open_desk: OpenDesk) -> None:
    name = learned(open_desk)
    forget(store_of(open_desk), Subject.of_text(NAME), "tester")
    store_of(open_desk).promotions.promote(BASE, "manual", "tester")
    folder, kept = open_desk.home.adapters / name, open_desk.home.root / "kept"
    folder.rename(kept)
    folder.symlink_to(kept)
    with pytest.raises(DeskError, match="was not made by deskloop"):
        remove_versions(store_of(open_desk), "tester")
    assert any(kept.iterdir())
