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
from store.runs import RunLock, WrongTransition
from store.words import BASE
from tui.core import DeskChange, DeskError, DeskService, Notice, RunProgress
from tui.core.doctor import examine
from tui.core.reports import outcome
from tui.core.runs import ways_on


@pytest.fixture
def other(service: DeskService) -> Iterator[Desk]:
    """Another app on the same desk, which holds the run lock."""
    with Desk.open(service.home) as desk:
        lock = RunLock(desk.home)
        assert lock.acquire()
        yield desk
        lock.release()


def end(desk: Desk, run: Run, state: str) -> None:
    """Take *run* from training to its end, as a worker does: the state first, then the last event."""
    if state != "failed":
        desk.runs.transition(run.id, "evaluating", candidate=None)
    desk.runs.transition(run.id, state)
    desk.runs.add_event(run.id, "done", {"state": state})


def begin(desk: Desk) -> Run:
    run = desk.runs.create({}, BASE, "colleague")
    return desk.runs.transition(run.id, "training")


async def test_another_apps_run_is_followed_to_its_last_event(
    service: DeskService, other: Desk, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(other)
    finished = asyncio.Event()
    service.run_desk.on_finished = lambda run: finished.set()
    other.runs.add_event(run.id, "step", {"step": 1})
    service.run_desk.follow()
    service.run_desk.follow()  # the same run is not followed twice
    await asyncio.sleep(0)
    other.runs.add_event(run.id, "step", {"step": 2})
    end(other, run, "held")
    await asyncio.wait_for(finished.wait(), 20)
    events = [change.event.event for change in told if isinstance(change, RunProgress)]
    assert events == [Step(1), Step(2), Done("held")]


async def test_a_run_whose_process_was_killed_ends_as_interrupted(
    service: DeskService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(service.desk)  # nobody holds the lock
    [last] = [event async for event in service.run_events(run.id)]  # what the killed one could not tell
    assert last.event == Done("interrupted", run.id)
    assert service.desk.runs.get(run.id).state == "interrupted"
    assert [found.id for found in service.interrupted()] == [run.id]
    assert service.run_desk.stored_events(run.id) == [last]


async def test_a_resumed_run_is_followed_again_from_where_it_was_resumed(
    service: DeskService, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    over = asyncio.Queue[str]()
    service.run_desk.on_finished = lambda run: over.put_nowait(run.state)
    run = begin(service.desk)
    service.desk.runs.add_event(run.id, "step", {"step": 1})
    service.run_desk.follow()  # nobody holds the lock: it was killed
    assert await asyncio.wait_for(over.get(), 20) == "interrupted"
    lock = RunLock(service.home)
    assert lock.acquire()
    for state in ("queued", "training"):
        service.desk.runs.transition(run.id, state)
    service.desk.runs.add_event(run.id, "step", {"step": 2})
    service.run_desk.follow()
    end(service.desk, run, "held")
    assert await asyncio.wait_for(over.get(), 20) == "held"
    lock.release()
    events = [change.event.event for change in told if isinstance(change, RunProgress)]
    assert events == [Step(1), Done("interrupted", run.id), Step(2), Done("held")]


async def test_a_run_is_followed_through_a_busy_desk(
    service: DeskService, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    finished = asyncio.Event()
    service.run_desk.on_finished = lambda run: finished.set()
    refusals = 3
    mark = service.desk.runs.mark_interrupted

    def busy() -> list[Run]:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise DeskBusy
        return mark()

    monkeypatch.setattr(service.desk.runs, "mark_interrupted", busy)
    begin(service.desk)
    service.run_desk.follow()
    await asyncio.wait_for(finished.wait(), 20)
    assert refusals < 0


async def test_a_run_that_ended_on_a_full_disk_is_told_at_once_and_offered_later(
    service: DeskService, told: list[DeskChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    monkeypatch.setattr("tui.core.runs.AGAIN", 0.001)
    finished = asyncio.Event()
    service.run_desk.on_finished = lambda run: finished.set()
    run, room = begin(service.desk), False
    transition = service.desk.runs.transition

    def on_a_full_disk(run_id: int, to: str, **changes: object) -> Run:
        if not room:
            raise DeskFull
        return transition(run_id, to, **changes)

    monkeypatch.setattr(service.desk.runs, "transition", on_a_full_disk)
    with pytest.raises(DeskError, match=r"stopped, and that can't be written down\. The disk is full"):
        _ = [event async for event in service.run_events(run.id)]  # as `deskloop retrain` follows it
    noticed = asyncio.Event()
    service.listen(lambda change: noticed.set() if isinstance(change, Notice) else None)
    service.run_desk.follow()
    await asyncio.wait_for(noticed.wait(), 20)
    assert service.desk.runs.get(run.id).state == "training"
    room = True
    await asyncio.wait_for(finished.wait(), 20)
    assert [found.id for found in service.interrupted()] == [run.id]
    assert len([change for change in told if isinstance(change, Notice)]) == 1


async def test_a_run_behind_a_lock_is_given_up_after_a_while(
    service: DeskService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    run = begin(service.desk)

    def busy() -> list[Run]:
        raise DeskBusy

    monkeypatch.setattr(service.desk.runs, "mark_interrupted", busy)
    with pytest.raises(DeskError, match=f"Another app is writing to this desk.*Run {run.id} is offered"):
        _ = [event async for event in service.run_events(run.id)]


async def test_a_resumed_run_that_needs_the_chats_memory_is_lent_it(
    service: DeskService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.start_engine()
    run = begin(service.desk)
    service.interrupted()
    tight = replace(await service.preflight(Recipe()), unload_engine=True)

    async def preflight(recipe: Recipe) -> Preflight:
        return tight

    states = []

    async def resume(desk: Desk, run_id: int, who: str) -> RunProcess:
        states.append(service.engine_state.name)
        raise DeskError("Not today.")

    monkeypatch.setattr(service.run_desk, "preflight", preflight)
    monkeypatch.setattr("finetune.run.client.resume_run", resume)
    with pytest.raises(DeskError, match="Not today"):
        await service.resume_run(run.id)
    assert states == ["absent"]
    assert service.engine_state.name == "ready"  # refused: the chat has its memory back


async def test_a_live_run_of_another_app_is_not_offered(service: DeskService, other: Desk) -> None:
    run = begin(other)
    assert service.interrupted() == []
    assert service.live_run is not None
    assert service.live_run.id == run.id


async def test_an_interrupted_run_can_be_discarded(service: DeskService) -> None:
    run = begin(service.desk)
    service.interrupted()
    service.discard_run(run.id)
    assert service.desk.runs.get(run.id).state == "cancelled"
    with pytest.raises(DeskError, match="is cancelled"):
        service.discard_run(run.id)


async def test_only_an_interrupted_run_can_be_resumed(service: DeskService) -> None:
    run = begin(service.desk)
    service.interrupted()
    service.discard_run(run.id)
    for number, why in ((run.id, "is cancelled, so it can't be resumed"), (99, "There is no run 99")):
        with pytest.raises(DeskError, match=why):
            await service.resume_run(number)


def fail(service: DeskService, kind: str) -> Run:
    """A run that failed and left files."""
    run = begin(service.desk)
    files = RunFiles.of(service.home, run.id)
    (files.job.checkpoints / "checkpoint-1").mkdir(parents=True)
    return service.desk.runs.transition(run.id, "failed", failure={"kind": kind, "sentence": "x", "log": ""})


@pytest.mark.parametrize("kind", SENTENCES)
async def test_whether_a_failed_run_can_be_resumed_has_one_answer(
    service: DeskService, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def roomy(recipe: Recipe) -> Any:
        return SimpleNamespace(unload_engine=True)

    monkeypatch.setattr(service.run_desk, "preflight", roomy)
    run = fail(service, kind)
    told = "resume" in SENTENCES[kind].lower()
    assert run.resumable is told
    assert await service.run_desk.unloads_engine(run.id) is told  # the chat's memory
    assert ("runs resume" in ways_on(run)) is told
    assert f"runs discard {run.id}" in ways_on(run)
    assert not next(check for check in examine(service.desk) if check.name == "runs").ok
    if told:
        assert service.desk.runs.transition(run.id, "queued").state == "queued"
        return
    with pytest.raises(DeskError, match="would fail again, so it can't be resumed"):
        await service.resume_run(run.id)
    with pytest.raises(WrongTransition):
        service.desk.runs.transition(run.id, "queued")


@pytest.mark.parametrize("kind", ["disk-full", "diverged"])
def test_discarding_a_failed_run_frees_its_files(service: DeskService, kind: str) -> None:
    run = fail(service, kind)
    service.discard_run(run.id)
    assert service.desk.runs.get(run.id).state == "cancelled"
    assert not RunFiles.of(service.home, run.id).has_work
    assert next(check for check in examine(service.desk) if check.name == "runs").ok


async def test_a_second_run_is_refused_with_a_sentence(service: DeskService, other: Desk) -> None:
    service.desk.pairs.add_many((NewPair(f"question {n}", "answer", split="train") for n in range(20)), "import", "t")
    begin(other)
    with pytest.raises(DeskError, match="already in progress"):
        await service.start_run(Recipe())


@pytest.mark.parametrize(("wish", "state"), [("cancel", "cancelled"), ("interrupt", "interrupted")])
async def test_another_apps_run_is_ended_from_here(service: DeskService, other: Desk, wish: str, state: str) -> None:
    run = begin(other)
    asked = asyncio.create_task(service.cancel_run() if wish == "cancel" else service.stop_run())
    await asyncio.sleep(0)
    wished = other.runs.wished(run.id)
    assert wished is not None
    assert (wished.wish, wished.who) == (wish, "tester")
    assert not asked.done()
    other.runs.transition(run.id, state)
    await asked


async def test_a_run_that_does_not_end_as_asked_is_told_of(
    service: DeskService, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(END_SECONDS, "cancel", 0.0)
    begin(other)
    with pytest.raises(DeskError, match="busy and has not ended yet"):
        await service.cancel_run()


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


async def test_a_detached_run_goes_on_when_the_app_closes(service: DeskService, other: Desk) -> None:
    run = begin(other)
    process = OwnRun(run.id)
    service.run_desk._own = process  # type: ignore[assignment]
    assert service.run_desk.own == run
    service.run_desk.detach()
    assert process.detached
    assert service.run_desk.own is None
    await service.run_desk.close()
    assert other.runs.get(run.id).state == "training"


async def test_cancelling_nothing_is_nothing(service: DeskService) -> None:
    await service.cancel_run()


async def test_a_run_that_cannot_be_is_refused_and_leaves_no_row(service: DeskService) -> None:
    with pytest.raises(DeskError, match="pairs"):
        await service.start_run(Recipe())
    assert service.desk.runs.list() == []


async def test_a_refused_run_gives_the_chat_its_memory_back(service: DeskService) -> None:
    await service.start_engine()
    with pytest.raises(DeskError):
        await service.start_run(Recipe(), unload_engine=True)
    assert service.engine_state.name == "ready"


async def test_after_a_run_the_unloaded_engine_comes_back(
    service: DeskService, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    await service.start_engine()
    await service.keeper.unload("The chat waits.")
    run = begin(other)
    service.run_desk.follow()
    end(other, run, "held")
    while service.engine_state.name != "ready":
        await service.keeper.moved()


def test_the_outcome_has_the_shape_scripts_depend_on(desk: Desk) -> None:
    run = begin(desk)
    desk.runs.transition(run.id, "evaluating")
    desk.runs.save_report(run.id, "reject", {"bleu": {"active": 50.0, "candidate": 40.0}})
    assert outcome(desk.runs.get(run.id)) == {
        "run": run.id, "verdict": "reject", "version": None, "bleu": {"active": 50.0, "candidate": 40.0},
    }  # fmt: skip
