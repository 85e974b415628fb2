"""A run on a machine with too little memory: it goes on by itself, from where it was, in smaller parts."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from finetune.failures import RunFailure
from finetune.files import JobFiles, RunFiles
from finetune.job import read_job
from finetune.launch.here import Here
from finetune.launch.launcher import Launcher, Training
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.worker import work
from store.desk import Desk
from store.records import Run
from store.words import BASE
from tests.true.kills import Bench

ROOT = Path(__file__).parent.parent.parent
SHORT = Path(__file__).with_name("short_of_memory.py")


class Refusing:
    """A place where nothing can be trained, and which notes what it was to train with."""

    def __init__(self, failure: str) -> None:
        self.failure, self.tried = failure, list[Recipe]()

    async def start(self, job: JobFiles, base: Path) -> Training:
        self.tried.append(read_job(job).recipe)
        raise RunFailure(self.failure)


async def run_at(launcher: Launcher, home: Path, base: Path, recipe: Recipe) -> tuple[Desk, Run]:
    """A desk whose run trained where *launcher* does it, and that run as it ended."""
    Bench(home, random.Random(0)).prepare(base)
    desk = Desk.open(home)
    desk.settings.set("min_pairs", 2, "tester")
    run = desk.runs.create(recipe.to_dict(), BASE, "tester")
    return desk, await work(RunContext.of(desk, run, launcher=launcher))


async def test_a_run_that_does_not_fit_goes_on_in_smaller_batches(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(r=4, alpha=8, batch_size=8, epochs=3.0, save_every=1, bucketing=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    short = Here([sys.executable, str(SHORT)])
    desk, run = await run_at(short, tmp_path / "home", tiny, recipe)
    with desk:
        assert run.state in ("held", "promoted", "rejected"), run.failure
        fitted = [event.body for event in desk.runs.events(run.id) if event.kind == "fitted"]
        assert [(body["batch_size"], body["gradient_accumulation"]) for body in fitted] == [(4, 2), (2, 4)]
        assert all("from the last checkpoint" in body["sentence"] for body in fitted)
        steps = [event.body["step"] for event in desk.runs.events(run.id) if event.kind == "step"]
        assert steps == sorted(set(steps))  # no step was taken twice
        assert steps[-1] == 6
        assert run.recipe["batch_size"] == 8


async def test_a_run_that_fits_in_no_way_fails_in_the_end(tiny: Path, tmp_path: Path) -> None:
    nowhere = Refusing("out-of-memory")
    desk, run = await run_at(nowhere, tmp_path / "home", tiny, Recipe(batch_size=4))
    with desk:
        assert run.state == "failed"
        assert run.failure is not None
        assert run.failure["kind"] == "out-of-memory"
        assert [(recipe.batch_size, recipe.checkpointing) for recipe in nowhere.tried] == [
            (4, False), (2, False), (1, False), (1, True),
        ]  # fmt: skip
        assert not RunFiles.of(desk.home, run.id).job.trained


async def test_validation_pairs_are_fixed_and_never_new_corrections(tiny: Path, tmp_path: Path) -> None:
    desk, run = await run_at(Refusing("failed"), tmp_path / "home", tiny, Recipe(validation=0.25))
    with desk:
        data = desk.runs.snapshot(run.id)
        assert (len(data.train), len(data.validation), len(data.heldout)) == (9, 3, 1)
        assert not {pair.id for pair in data.validation} & {pair.id for pair, _ in data.train}
        assert desk.runs.trained_pairs(run.id) == 9
