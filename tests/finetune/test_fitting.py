"""A run on a machine with too little memory: it goes on by itself, from where it was, in smaller parts."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from finetune.failures import RunFailure
from finetune.files import RunFiles
from finetune.recipe import Recipe
from finetune.run.worker import Leash, Worker
from store.desk import Desk
from store.records import Run
from tests.true.kills import Bench

ROOT = Path(__file__).parent.parent.parent
SHORT = Path(__file__).with_name("short_of_memory.py")


async def run_short_of_memory(
    home: Path, base: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> tuple[Desk, Run]:
    Bench(home, random.Random(0)).prepare(base)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    from finetune.run import worker

    real = worker.module_command

    def command(module: str) -> list[str]:
        return [sys.executable, str(SHORT)] if module == "finetune.train.trainer" else real(module)

    monkeypatch.setattr(worker, "module_command", command)
    desk = Desk.open(home)
    desk.settings.set("min_pairs", 2, "tester")
    run = desk.runs.create(recipe.to_dict(), "base", "tester")
    return desk, await Worker(desk, run, Leash()).work()


async def test_a_run_that_does_not_fit_goes_on_in_smaller_batches(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(r=4, alpha=8, batch_size=8, epochs=3.0, save_every=1, bucketing=False)
    desk, run = await run_short_of_memory(tmp_path / "home", tiny, monkeypatch, recipe)
    with desk:
        assert run.state in ("held", "promoted", "rejected"), run.failure
        fitted = [event.body for event in desk.runs.events(run.id) if event.kind == "fitted"]
        assert [(body["batch_size"], body["gradient_accumulation"]) for body in fitted] == [(4, 2), (2, 4)]
        assert all("from the last checkpoint" in body["sentence"] for body in fitted)
        steps = [event.body["step"] for event in desk.runs.events(run.id) if event.kind == "step"]
        assert steps == sorted(set(steps))  # no step was taken twice
        assert steps[-1] == 6
        assert run.recipe["batch_size"] == 8


async def test_a_run_that_fits_in_no_way_fails_in_the_end(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Recipe] = []

    async def never(self: Worker, job: dict[str, object]) -> None:
        tried.append(Recipe(**job["recipe"]))  # type: ignore[arg-type]
        raise RunFailure("out-of-memory")

    monkeypatch.setattr(Worker, "_trainer", never)
    desk, run = await run_short_of_memory(tmp_path / "home", tiny, monkeypatch, Recipe(batch_size=4))
    with desk:
        assert run.state == "failed"
        assert run.failure is not None
        assert run.failure["kind"] == "out-of-memory"
        assert [(recipe.batch_size, recipe.checkpointing) for recipe in tried] == [
            (4, False), (2, False), (1, False), (1, True),
        ]  # fmt: skip
        assert not RunFiles.of(desk.home, run.id).trained


async def test_validation_pairs_are_fixed_and_never_new_corrections(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Worker, job: dict[str, object]) -> None:
        raise RunFailure("failed")

    monkeypatch.setattr(Worker, "_trainer", never)
    desk, run = await run_short_of_memory(tmp_path / "home", tiny, monkeypatch, Recipe(validation=0.25))
    with desk:
        data = desk.runs.snapshot(run.id)
        assert (len(data.train), len(data.validation), len(data.heldout)) == (9, 3, 1)
        assert not {pair.id for pair in data.validation} & {pair.id for pair, _ in data.train}
        assert desk.runs.trained_pairs(run.id) == 9
