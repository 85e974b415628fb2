"""Runs from the app's side: this app's and another's are followed alike, and one that was killed is offered again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from finetune.events import Done, Step
from finetune.failures import SENTENCES
from finetune.files import RunFiles
from finetune.preflight import Preflight
from finetune.recipe import Recipe
from finetune.run.client import END_SECONDS, RunProcess
from store.database import DeskBusy, DeskFull
from store.desk import Desk
from store.pairs import NewPair
from store.records import Run, Wish
from store.runs import RunLock, Runs, WrongTransition
from store.words import BASE, FailureKind, RunState
from tests.opened import store_of
from tui.core import DeskChange, DeskError, Notice, OpenDesk, RunProgress
from tui.core.doctor import examine
from tui.core.reports import outcome
from tui.core.runs import ways_on


@pytest.fixture
def other(open_desk: OpenDesk) -> Iterator[Desk]:
    """Another app on the same desk, which holds the run lock."""
    with Desk.open(open_desk.home) as desk:
        lock = RunLock(desk.home)
        assert lock.acquire()
        yield desk
        lock.release()


def end(desk: Desk, run: Run, state: RunState) -> None:
    """Take *run* from training to its end, as a worker does: the state first, then the last event."""
    if state != "failed":
        desk.runs.transition(run.id, "evaluating")
    desk.runs.transition(run.id, state)
    desk.runs.add_event(run.id, "done", {"state": state})


def begin(desk: Desk) -> Run:
    run = desk.runs.create({}, BASE, "colleague")
    return desk.runs.transition(run.id, "training")


async def test_another_apps_run_is_followed_to_its_last_event(
    open_desk: OpenDesk, other: Desk, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(other)
    finished = asyncio.Event()
    open_desk.runs.on_finished = lambda run: finished.set()
    other.runs.add_event(run.id, "step", {"step": 1})
    open_desk.runs.follow()
    open_desk.runs.follow()  # the same run is not followed twice
    await asyncio.sleep(0)
    other.runs.add_event(run.id, "step", {"step": 2})
    end(other, run, "held")
    await asyncio.wait_for(finished.wait(), 20)
    events = [change.event.event for change in told if isinstance(change, RunProgress)]
    assert events == [Step(1), Step(2), Done("held")]


async def test_a_run_whose_process_was_killed_ends_as_interrupted(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(store_of(open_desk))  # nobody holds the lock
    [last] = [event async for event in open_desk.runs.events(run.id)]  # what the killed one could not tell
    assert last.event == Done("interrupted", run.id)
    assert store_of(open_desk).runs.get(run.id).state == "interrupted"
    assert [found.id for found in open_desk.runs.interrupted()] == [run.id]
    assert open_desk.runs.stored_events(run.id) == [last]


async def test_a_resumed_run_is_followed_again_from_where_it_was_resumed(
    open_desk: OpenDesk, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    over = asyncio.Queue[str]()
    open_desk.runs.on_finished = lambda run: over.put_nowait(run.state)
    run = begin(store_of(open_desk))
    store_of(open_desk).runs.add_event(run.id, "step", {"step": 1})
    open_desk.runs.follow()  # nobody holds the lock: it was killed
    assert await asyncio.wait_for(over.get(), 20) == "interrupted"
    lock = RunLock(open_desk.home)
    assert lock.acquire()
    for state in ("queued", "training"):
        store_of(open_desk).runs.transition(run.id, state)
    store_of(open_desk).runs.add_event(run.id, "step", {"step": 2})
    open_desk.runs.follow()
    end(store_of(open_desk), run, "held")
    assert await asyncio.wait_for(over.get(), 20) == "held"
    lock.release()
    events = [change.event.event for change in told if isinstance(change, RunProgress)]
    assert events == [Step(1), Done("interrupted", run.id), Step(2), Done("held")]


async def test_a_run_is_followed_through_a_busy_desk(
    open_desk: OpenDesk, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    finished = asyncio.Event()
    open_desk.runs.on_finished = lambda run: finished.set()
    refusals = 3
    mark = Runs.mark_interrupted

    def busy(runs: Runs) -> list[Run]:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise DeskBusy
        return mark(runs)

    monkeypatch.setattr(Runs, "mark_interrupted", busy)
    begin(store_of(open_desk))
    open_desk.runs.follow()
    await asyncio.wait_for(finished.wait(), 20)
    assert refusals < 0


async def test_a_run_that_ended_on_a_full_disk_is_told_at_once_and_offered_later(
    open_desk: OpenDesk, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    monkeypatch.setattr("tui.core.runs.AGAIN", 0.001)
    finished = asyncio.Event()
    open_desk.runs.on_finished = lambda run: finished.set()
    run, room = begin(store_of(open_desk)), False
    transition = Runs.transition

    def on_a_full_disk(runs: Runs, run_id: int, to: RunState) -> Run:
        if not room:
            raise DeskFull
        return transition(runs, run_id, to)

    monkeypatch.setattr(Runs, "transition", on_a_full_disk)
    with pytest.raises(DeskError, match=r"stopped, and the desk could not save that\. The disk is full"):
        _ = [event async for event in open_desk.runs.events(run.id)]  # as `deskloop retrain` follows it
    noticed = asyncio.Event()
    open_desk.changes.listen(lambda change: noticed.set() if isinstance(change, Notice) else None)
    open_desk.runs.follow()
    await asyncio.wait_for(noticed.wait(), 20)
    assert store_of(open_desk).runs.get(run.id).state == "training"
    room = True
    await asyncio.wait_for(finished.wait(), 20)
    assert [found.id for found in open_desk.runs.interrupted()] == [run.id]
    assert len([change for change in told if isinstance(change, Notice)]) == 1


async def test_a_run_behind_a_lock_is_given_up_after_a_while(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(store_of(open_desk))

    def busy(runs: Runs) -> list[Run]:
        raise DeskBusy

    monkeypatch.setattr(Runs, "mark_interrupted", busy)
    with pytest.raises(DeskError, match=f"Another app is writing to this desk.*Run {run.id} is offered"):
        _ = [event async for event in open_desk.runs.events(run.id)]


async def test_a_resumed_run_that_needs_the_chats_memory_is_lent_it(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_desk.engine.start()
    run = begin(store_of(open_desk))
    open_desk.runs.interrupted()
    tight = replace(await open_desk.runs.preflight(Recipe()), unload_engine=True)

    async def preflight(recipe: Recipe) -> Preflight:
        return tight

    states = []

    async def resume(desk: Desk, run_id: int, who: str) -> RunProcess:
        states.append(open_desk.engine.state.name)
        raise DeskError("Not today.")

    monkeypatch.setattr(open_desk.runs, "preflight", preflight)
    monkeypatch.setattr("finetune.run.client.resume_run", resume)
    with pytest.raises(DeskError, match="Not today"):
        await open_desk.runs.resume(run.id)
    assert states == ["absent"]
    assert open_desk.engine.state.name == "ready"  # refused: the chat has its memory back


async def test_a_live_run_of_another_app_is_not_offered(open_desk: OpenDesk, other: Desk) -> None:
    run = begin(other)
    assert open_desk.runs.interrupted() == []
    assert open_desk.runs.live is not None
    assert open_desk.runs.live.id == run.id


async def test_an_interrupted_run_can_be_discarded(open_desk: OpenDesk) -> None:
    run = begin(store_of(open_desk))
    open_desk.runs.interrupted()
    open_desk.runs.discard(run.id)
    assert store_of(open_desk).runs.get(run.id).state == "cancelled"
    with pytest.raises(DeskError, match="is cancelled"):
        open_desk.runs.discard(run.id)


async def test_only_an_interrupted_run_can_be_resumed(open_desk: OpenDesk) -> None:
    run = begin(store_of(open_desk))
    open_desk.runs.interrupted()
    open_desk.runs.discard(run.id)
    for number, why in ((run.id, "is cancelled, so it can't be resumed"), (99, "There is no run 99")):
        with pytest.raises(DeskError, match=why):
            await open_desk.runs.resume(number)


def fail(open_desk: OpenDesk, kind: str) -> Run:
    """A run that failed and left files."""
    run = begin(store_of(open_desk))
    files = RunFiles.of(open_desk.home, run.id)
    (files.job.checkpoints / "checkpoint-1").mkdir(parents=True)
    return store_of(open_desk).runs.transition(run.id, "failed", failure={"kind": kind, "sentence": "x", "log": ""})


@pytest.mark.parametrize("kind", SENTENCES)
async def test_whether_a_failed_run_can_be_resumed_has_one_answer(
    open_desk: OpenDesk, kind: FailureKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def roomy(recipe: Recipe) -> Any:
        return SimpleNamespace(unload_engine=True)

    monkeypatch.setattr(open_desk.runs, "preflight", roomy)
    run = fail(open_desk, kind)
    told = "resume" in SENTENCES[kind].lower()
    assert run.resumable is told
    assert await open_desk.runs.unloads_engine(run.id) is told  # the chat's memory
    assert ("runs resume" in ways_on(run)) is told
    assert f"runs discard {run.id}" in ways_on(run)
    assert not next(check for check in examine(store_of(open_desk)) if check.name == "runs").ok
    if told:
        assert store_of(open_desk).runs.transition(run.id, "queued").state == "queued"
        return
    with pytest.raises(DeskError, match="would fail again, so it can't be resumed"):
        await open_desk.runs.resume(run.id)
    with pytest.raises(WrongTransition):
        store_of(open_desk).runs.transition(run.id, "queued")


@pytest.mark.parametrize("kind", ["disk-full", "diverged"])
def test_discarding_a_failed_run_frees_its_files(open_desk: OpenDesk, kind: str) -> None:
    run = fail(open_desk, kind)
    open_desk.runs.discard(run.id)
    assert store_of(open_desk).runs.get(run.id).state == "cancelled"
    assert not RunFiles.of(open_desk.home, run.id).has_work
    assert next(check for check in examine(store_of(open_desk)) if check.name == "runs").ok


async def test_a_second_run_is_refused_with_a_sentence(open_desk: OpenDesk, other: Desk) -> None:
    news = [NewPair(f"question {n}", "answer", split="train") for n in range(20)]
    store_of(open_desk).pairs.add_many(news, "import", "t")
    begin(other)
    with pytest.raises(DeskError, match="already in progress"):
        await open_desk.runs.start(await open_desk.runs.preflight(Recipe()))


@pytest.mark.parametrize(("wish", "state"), [("cancel", "cancelled"), ("interrupt", "interrupted")])
async def test_another_apps_run_is_ended_from_here(
    open_desk: OpenDesk, other: Desk, wish: str, state: RunState
) -> None:
    run = begin(other)
    asked = asyncio.create_task(open_desk.runs.cancel() if wish == "cancel" else open_desk.runs.interrupt())
    await asyncio.sleep(0)
    wished = other.runs.wished(run.id)
    assert wished is not None
    assert (wished.wish, wished.who) == (wish, "tester")
    assert not asked.done()
    other.runs.transition(run.id, state)
    await asked


async def test_a_run_that_does_not_end_as_asked_is_told_of(
    open_desk: OpenDesk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(END_SECONDS, "cancel", 0.0)
    begin(other)
    with pytest.raises(DeskError, match="busy and has not stopped yet"):
        await open_desk.runs.cancel()


def test_a_wish_is_for_the_run_as_it_is_not_for_the_one_that_is_resumed(desk: Desk) -> None:
    run = begin(desk)
    assert desk.runs.wished(run.id) is None
    assert desk.runs.wish(run.id, "interrupt", "jo")
    assert desk.runs.wish(run.id, "cancel", "ann")
    assert desk.runs.wished(run.id) == Wish("interrupt", "jo")  # the first word counts
    desk.runs.transition(run.id, "interrupted")
    assert not desk.runs.wish(run.id, "cancel", "jo")
    desk.runs.transition(run.id, "queued")
    assert desk.runs.wished(run.id) is None


class OwnRun:
    """The process of a run of this app's."""

    def __init__(self, run_id: int) -> None:
        self.run_id, self.detached = run_id, False

    def detach(self) -> None:
        self.detached = True

    async def interrupt(self) -> None:
        raise AssertionError("a detached run is left alone")


async def test_a_detached_run_goes_on_when_the_app_closes(open_desk: OpenDesk, other: Desk) -> None:
    run = begin(other)
    process = OwnRun(run.id)
    open_desk.runs._own = process  # type: ignore[assignment]
    assert open_desk.runs.own == run
    open_desk.runs.detach()
    assert process.detached
    assert open_desk.runs.own is None
    await open_desk.runs.close()
    assert other.runs.get(run.id).state == "training"


async def test_cancelling_nothing_is_nothing(open_desk: OpenDesk) -> None:
    await open_desk.runs.cancel()


async def test_a_run_that_cannot_be_is_refused_and_leaves_no_row(open_desk: OpenDesk) -> None:
    with pytest.raises(DeskError, match="pairs"):
        await open_desk.runs.start(await open_desk.runs.preflight(Recipe()))
    assert store_of(open_desk).runs.list() == []


async def test_a_refused_run_gives_the_chat_its_memory_back(open_desk: OpenDesk) -> None:
    await open_desk.engine.start()
    with pytest.raises(DeskError):
        await open_desk.runs.start(replace(await open_desk.runs.preflight(Recipe()), unload_engine=True))
    assert open_desk.engine.state.name == "ready"


async def test_after_a_run_the_unloaded_engine_comes_back(
    open_desk: OpenDesk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    await open_desk.engine.start()
    await open_desk.engine.unload("The chat waits.")
    run = begin(other)
    open_desk.runs.follow()
    end(other, run, "held")
    while open_desk.engine.state.name != "ready":
        await open_desk.engine.moved()


def test_the_outcome_has_the_shape_scripts_depend_on(desk: Desk) -> None:
    run = begin(desk)
    desk.runs.transition(run.id, "evaluating")
    desk.runs.save_report(run.id, "reject", {"bleu": {"active": 50.0, "candidate": 40.0}})
    assert outcome(desk.runs.get(run.id)) == {
        "run": run.id, "verdict": "reject", "version": None, "bleu": {"active": 50.0, "candidate": 40.0},
    }  # fmt: skip
