"""A run on a desk that can't be written any more: it ends at once, says why where it can, and keeps its checkpoint."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.types import BaseSpec
from finetune.failures import SENTENCES, kind_of
from finetune.launch.here import Here
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.prepare import Prepared
from finetune.run.train import job_of, train_once
from finetune.run.worker import work
from store.database import DeskBusy, DeskFull, DeskReadOnly, DeskUnreadable
from store.desk import Desk
from store.records import RunEvent, Snapshot
from store.words import BASE, FailureKind

TROUBLES: dict[str, Callable[[], Exception]] = {
    "disk-full": DeskFull,
    "desk-busy": DeskBusy,
    "desk-read-only": lambda: DeskReadOnly(Path("desk.db"), "its disk is read-only"),
    "desk-damaged": lambda: DeskUnreadable("desk.db is damaged."),
}


@pytest.mark.parametrize("kind", TROUBLES)
def test_each_trouble_of_a_desk_has_its_own_sentence(kind: str) -> None:
    assert kind_of(TROUBLES[kind]()) == kind
    assert "Nothing was lost" in SENTENCES[kind]
    assert "resume the run" in SENTENCES[kind]


@pytest.fixture
def training(desk: Desk) -> RunContext:
    """A run whose trainer tells a step, waits for the end of its input, and notes that it saved."""
    run = desk.runs.create(Recipe(replay=0.0).to_dict(), BASE, "ann")
    run = desk.runs.transition(run.id, "training")
    saved = desk.home.runs / "saved"
    trainer = (
        'import sys, pathlib; print(\'{"kind": "step", "body": {}}\', flush=True); '
        f"sys.stdin.read(); pathlib.Path({str(saved)!r}).touch(); sys.exit(75)"
    )
    return RunContext.of(desk, run, launcher=Here([sys.executable, "-c", trainer]))


async def only_train(run: RunContext) -> None:
    """What is left of a run that has everything ready."""
    prepared = Prepared(BaseSpec("no such folder"), "f", Snapshot([], [], []), BASE)
    await train_once(run, job_of(run, prepared, run.recipe), prepared)


def test_a_run_whose_recipe_is_damaged_trains_with_no_other(desk: Desk) -> None:
    desk.runs.create({"r": 4}, BASE, "ann")
    desk.db.run("UPDATE runs SET recipe = '{'")
    ended = asyncio.run(work(RunContext.of(desk, desk.runs.get(1))))
    assert (ended.state, ended.failure and ended.failure["kind"]) == ("failed", "recipe-unreadable")


def refusing(trouble: Callable[[], Exception], first_only: bool) -> Callable[..., RunEvent]:
    """A desk that takes no event; *first_only*: it comes to its senses after the first."""
    told = 0

    def add_event(self: object, run_id: int, kind: str, body: dict[str, object]) -> RunEvent:
        nonlocal told
        told += 1
        if told == 1 or not first_only:
            raise trouble()
        return RunEvent(1, run_id, "", kind, body)

    return add_event


@pytest.mark.parametrize("kind", TROUBLES)
def test_a_run_that_can_not_write_ends_with_the_reason_and_a_checkpoint(
    desk: Desk, training: RunContext, kind: FailureKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.runs.Runs.add_event", refusing(TROUBLES[kind], first_only=True))
    ended = asyncio.run(work(training, only_train))
    assert (ended.state, ended.failure and ended.failure["kind"]) == ("failed", kind)
    assert ended.failure is not None
    assert ended.failure["sentence"] == SENTENCES[kind]
    assert (desk.home.runs / "saved").exists()


def test_a_run_that_can_write_nothing_at_all_says_so_in_its_log_and_ends(
    desk: Desk, training: RunContext, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(self: object, *_: object, **__: object) -> None:
        raise DeskFull

    monkeypatch.setattr("store.runs.Runs.add_event", full)
    monkeypatch.setattr("store.runs.Runs.transition", full)
    ended = asyncio.run(work(training, only_train))
    assert ended.state == "training"  # which the next look of any app makes an interrupted one
    assert "The disk is full. Nothing was changed" in capfd.readouterr().err
    assert (desk.home.runs / "saved").exists()
    monkeypatch.undo()
    assert [run.id for run in desk.runs.mark_interrupted()] == [training.run_id]
