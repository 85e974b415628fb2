"""What is always in view of a desk, and what is judged and written at it: without a screen."""

from __future__ import annotations

import asyncio

import pytest

from store.conversations.drafts import Draft
from store.desk import Desk
from store.erasing import Subject
from tests.core.conftest import make_version
from tests.tui.scenes import said
from tui.core import DeskChange, DeskService, Notice, ReplyJudged, RunProgress, VersionChanged, turns
from tui.core.drafts import Drafts
from tui.core.erasing import forget
from tui.core.facts import DeskFacts
from tui.core.judging import THEIRS, Judging


def a_reply(desk: Desk) -> int:
    return said(desk, "Pots", ("Which pots?", "The red ones.", "base", "complete"))[0]


def heard(service: DeskService) -> list[DeskChange]:
    """What changes from now on."""
    changes: list[DeskChange] = []
    service.listen(changes.append)
    return changes


async def settled(facts: DeskFacts) -> None:
    """Let *facts* read what takes longer."""
    read = asyncio.Event()
    facts.listen(lambda: None if facts.stale else read.set())
    facts.refresh()
    await read.wait()


async def test_a_correction_counts_at_once_and_the_advice_follows(service: DeskService) -> None:
    facts, judging = DeskFacts(service.parts), Judging(service.parts)
    drawn: list[int] = []
    facts.listen(lambda: drawn.append(facts.status.waiting))
    assert judging.correct(a_reply(service.desk), "The blue ones.") == "kept"
    assert drawn[-1] == 1
    await settled(facts)
    assert facts.status.advice.new == 1
    assert facts.status.rate.corrected == 1
    await facts.close()


async def test_who_answers_and_how_the_engine_is(service: DeskService) -> None:
    facts = DeskFacts(service.parts)
    assert (facts.status.desk, facts.status.version, facts.status.engine) == ("home", "base", "absent")
    await service.start_engine()
    assert facts.status.engine == "ready"
    async with service.keeper.turn("It answers for a comparison."):
        assert facts.status.engine == "comparing"
    await facts.close()


async def test_a_swap_is_news_but_not_after_a_restart(service: DeskService) -> None:
    facts = DeskFacts(service.parts)
    assert facts.swapped(VersionChanged("base", 0.1)) is None
    assert facts.swapped(VersionChanged("v1", 0.1)) == "v1"
    assert facts.swapped(VersionChanged("v1", 0.1)) is None
    assert facts.swapped(VersionChanged("base", 0.1)) == "The bare base"
    await facts.close()


async def test_the_run_line_goes_with_the_run_until_its_end_was_seen(service: DeskService) -> None:
    facts, runs = DeskFacts(service.parts), service.desk.runs
    make_version(service.desk, "promote")
    run = runs.list()[0].id
    runs.add_event(run, "phase", {"phase": "training", "sentence": "Training begins."})
    runs.add_event(run, "done", {"state": "promoted", "version": "v1"})
    drawn: list[str | None] = []
    facts.listen(lambda: drawn.append(facts.run))
    for entry in service.parts.runs.stored_events(run):
        service.tell(RunProgress(entry))
    assert drawn[0] == "Retraining: Training begins."
    assert drawn[-1] == "v1 passed the check and answers now. {desk.training} shows how it went."
    facts.run_seen()
    assert facts.run is None
    await facts.close()


async def test_what_is_erased_makes_the_texts_on_a_screen_old_once(service: DeskService) -> None:
    facts = DeskFacts(service.parts)
    a_reply(service.desk)
    assert not facts.erased_since()
    forget(service.desk, Subject.of_text("red ones"), "tester")
    assert facts.erased_since()
    assert not facts.erased_since()
    await facts.close()


@pytest.mark.parametrize("queued", [False, True])
async def test_a_judgement_is_kept_published_and_undone(service: DeskService, queued: bool) -> None:
    reply, judging, changes = a_reply(service.desk), Judging(service.parts), heard(service)
    assert judging.approve(reply, queued=queued) == "kept"
    assert judging.withdraw(reply, queued=queued) == "kept"
    assert judging.correct(reply, "The blue ones.", queued=queued) == "kept"
    assert [(change.reply, change.queued) for change in changes if isinstance(change, ReplyJudged)] == [
        (reply, queued)
    ] * 3
    assert service.waiting() == 1


async def test_the_replys_own_text_is_an_approval(service: DeskService) -> None:
    changes = heard(service)
    Judging(service.parts).correct(a_reply(service.desk), "The red ones.")
    assert isinstance(changes[-1], ReplyJudged)
    assert changes[-1].sentence.startswith("Approved.")


async def test_what_somebody_else_judged_meanwhile_stands(service: DeskService) -> None:
    reply, judging = a_reply(service.desk), Judging(service.parts)
    with Desk.open(service.home) as other:
        other.judgements.correct(reply, "Never.", "jo")
    changes = heard(service)
    assert judging.approve(reply, queued=True) == "theirs"
    assert judging.skip(reply) == "theirs"
    assert changes == [Notice(THEIRS)] * 2


async def test_what_cant_be_kept_is_said(service: DeskService) -> None:
    reply, changes = a_reply(service.desk), heard(service)
    assert Judging(service.parts).withdraw(reply) == "refused"
    assert isinstance(changes[0], Notice)
    assert changes[0].trouble


def test_drafts_are_there_again_with_what_was_in_open_fields(service: DeskService) -> None:
    reply = a_reply(service.desk)
    drafts = Drafts(service.parts.conversations)
    drafts.put(1, "half a")
    drafts.put(2, "gone")
    assert drafts.message(2) == "gone"
    drafts.offer(1, "another")
    end = drafts.follow(lambda: Draft("The blue", None, reply))
    drafts.keep()
    end()
    again = Drafts(service.parts.conversations)
    assert len(again.take()) == 2
    assert (again.message(1), again.message(1), again.answer(reply)) == ("half a", "", "The blue")


@pytest.mark.parametrize("at", [None, 1, 40, 100])
def test_a_window_holds_what_was_asked_for(service: DeskService, at: int | None) -> None:
    ids = said(service.desk, "Long", *((f"Q {number}", "A", "base", "complete") for number in range(100)))
    conversations = service.parts.conversations
    wanted = None if at is None else ids[at - 1]
    window = turns.latest(conversations, 1) if wanted is None else turns.around(conversations, 1, wanted)
    shown = [turn.id for turn in window.turns]
    assert len(shown) <= turns.WINDOW
    assert shown == sorted(shown)
    assert wanted is None or wanted in shown
    assert window.later == (shown[-1] < ids[-1])
    assert window.earlier == (shown[0] > conversations.turns(1, limit=1, after_id=0)[0].id)
    assert turns.latest(conversations, None).turns == []
