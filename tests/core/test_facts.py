"""What is always in view of a desk, and what is judged and written at it: without a screen."""

from __future__ import annotations

import asyncio

import pytest

from store.conversations.drafts import Draft
from store.desk import Desk
from store.erasing import Subject
from store.words import BASE, Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui.scenes import said
from tui.core import DeskChange, Notice, OpenDesk, ReplyJudged, RunProgress, VersionChanged, turns
from tui.core.drafts import Drafts
from tui.core.erasing import forget
from tui.core.facts import DeskFacts
from tui.core.judging import THEIRS, Judging


def a_reply(desk: Desk) -> int:
    return said(desk, "Pots", ("Which pots?", "The red ones.", "base", "complete"))[0]


def heard(open_desk: OpenDesk) -> list[DeskChange]:
    """What changes from now on."""
    changes: list[DeskChange] = []
    open_desk.changes.listen(changes.append)
    return changes


async def settled(facts: DeskFacts) -> None:
    """Let *facts* read what takes longer."""
    read = asyncio.Event()
    facts.listen(lambda: None if facts.stale else read.set())
    facts.refresh()
    await read.wait()


async def test_a_correction_counts_at_once_and_the_advice_follows(open_desk: OpenDesk) -> None:
    facts, judging = DeskFacts(open_desk), Judging(open_desk)
    drawn: list[int] = []
    facts.listen(lambda: drawn.append(facts.status.waiting))
    assert judging.correct(a_reply(store_of(open_desk)), "The blue ones.") == "kept"
    assert drawn[-1] == 1
    await settled(facts)
    assert facts.status.advice.new == 1
    assert facts.status.rate.wrong == 1
    await facts.close()


async def test_who_answers_and_how_the_engine_is(open_desk: OpenDesk) -> None:
    facts = DeskFacts(open_desk)
    assert (facts.status.desk, facts.status.version, facts.status.engine) == ("home", "base", "absent")
    await open_desk.engine.start()
    assert facts.status.engine == "ready"
    async with open_desk.engine.turn("It answers for a comparison."):
        assert facts.status.engine == "comparing"
    await facts.close()


async def test_a_swap_is_news_but_not_after_a_restart(open_desk: OpenDesk) -> None:
    facts = DeskFacts(open_desk)
    assert facts.swapped(VersionChanged(BASE, 0.1)) is None
    assert facts.swapped(VersionChanged(Version("v1"), 0.1)) == "v1"
    assert facts.swapped(VersionChanged(Version("v1"), 0.1)) is None
    assert facts.swapped(VersionChanged(BASE, 0.1)) == "The bare base"
    await facts.close()


async def test_the_run_line_goes_with_the_run_until_its_end_was_seen(open_desk: OpenDesk) -> None:
    facts, runs = DeskFacts(open_desk), store_of(open_desk).runs
    make_version(store_of(open_desk), "promote")
    run = runs.list()[0].id
    runs.add_event(run, "phase", {"phase": "training", "sentence": "Training begins."})
    runs.add_event(run, "done", {"state": "promoted", "version": "v1"})
    drawn: list[str | None] = []
    facts.listen(lambda: drawn.append(facts.run))
    for entry in open_desk.runs.stored_events(run):
        open_desk.changes.publish(RunProgress(entry))
    assert drawn[0] == "Retraining: Training begins."
    assert drawn[-1] == "v1 passed the check and answers now. {desk.training} shows how it went."
    facts.run_seen()
    assert facts.run is None
    await facts.close()


async def test_what_is_erased_makes_the_texts_on_a_screen_old_once(open_desk: OpenDesk) -> None:
    facts = DeskFacts(open_desk)
    a_reply(store_of(open_desk))
    assert not facts.erased_since()
    forget(store_of(open_desk), Subject.of_text("red ones"), "tester")
    assert facts.erased_since()
    assert not facts.erased_since()
    await facts.close()


@pytest.mark.parametrize("queued", [False, True])
async def test_a_judgement_is_kept_published_and_undone(open_desk: OpenDesk, queued: bool) -> None:
    reply, judging, changes = a_reply(store_of(open_desk)), Judging(open_desk), heard(open_desk)
    assert judging.approve(reply, queued=queued) == "kept"
    assert judging.withdraw(reply, queued=queued) == "kept"
    assert judging.correct(reply, "The blue ones.", queued=queued) == "kept"
    assert [(change.reply, change.queued) for change in changes if isinstance(change, ReplyJudged)] == [
        (reply, queued)
    ] * 3
    assert open_desk.judgements.waiting() == 1


async def test_the_replys_own_text_is_an_approval(open_desk: OpenDesk) -> None:
    changes = heard(open_desk)
    Judging(open_desk).correct(a_reply(store_of(open_desk)), "The red ones.")
    assert isinstance(changes[-1], ReplyJudged)
    assert changes[-1].sentence.startswith("Approved.")


async def test_what_somebody_else_judged_meanwhile_stands(open_desk: OpenDesk) -> None:
    reply, judging = a_reply(store_of(open_desk)), Judging(open_desk)
    with Desk.open(open_desk.home) as other:
        other.judgements.correct(reply, "Never.", "jo")
    changes = heard(open_desk)
    assert judging.approve(reply, queued=True) == "theirs"
    assert judging.skip(reply) == "theirs"
    assert changes == [Notice(THEIRS)] * 2


async def test_what_cant_be_kept_is_said(open_desk: OpenDesk) -> None:
    reply, changes = a_reply(store_of(open_desk)), heard(open_desk)
    assert Judging(open_desk).withdraw(reply) == "refused"
    assert isinstance(changes[0], Notice)
    assert changes[0].trouble


def test_drafts_are_there_again_with_what_was_in_open_fields(open_desk: OpenDesk) -> None:
    reply = a_reply(store_of(open_desk))
    drafts = Drafts(open_desk.conversations)
    drafts.put(1, "half a")
    drafts.put(2, "gone")
    assert drafts.message(2) == "gone"
    drafts.offer(1, "another")
    end = drafts.follow(lambda: Draft("The blue", None, reply))
    drafts.keep()
    end()
    again = Drafts(open_desk.conversations)
    assert len(again.take()) == 2
    assert (again.message(1), again.message(1), again.answer(reply)) == ("half a", "", "The blue")


@pytest.mark.parametrize("at", [None, 1, 40, 100])
def test_a_window_holds_what_was_asked_for(open_desk: OpenDesk, at: int | None) -> None:
    ids = said(store_of(open_desk), "Long", *((f"Q {number}", "A", "base", "complete") for number in range(100)))
    conversations = open_desk.conversations
    wanted = None if at is None else ids[at - 1]
    window = turns.latest(conversations, 1) if wanted is None else turns.around(conversations, 1, wanted)
    shown = [turn.id for turn in window.turns]
    assert len(shown) <= turns.WINDOW
    assert shown == sorted(shown)
    assert wanted is None or wanted in shown
    assert window.later == (shown[-1] < ids[-1])
    assert window.earlier == (shown[0] > conversations.turns(1, limit=1, after_id=0)[0].id)
    assert turns.latest(conversations, None).turns == []
