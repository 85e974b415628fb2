"""The training process: a job's folder and a base are all it needs, and what it makes is in that folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest
from safetensors.torch import load_file

from bot.bases.base import content_digest, fingerprint
from bot.types import BaseSpec
from finetune.events import Event, Phase, Step, Trained
from finetune.failures import RunFailure
from finetune.files import JobFiles
from finetune.job import Job, JobBase, JobPair, write_job
from finetune.launch.here import Here
from finetune.recipe import Recipe
from finetune.train.trainer import INTERRUPTED
from store.words import BASE, Version
from tests import tiny as makers

ROOT = Path(__file__).parent.parent.parent
PAIRS = [JobPair(f"Question {n}?", (), f"Answer {n}.", "en", weight=1 + n % 2) for n in range(8)]
WITHOUT_DESK = [sys.executable, str(Path(__file__).with_name("without_desk.py"))]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def job_in(folder: Path, base: Path, recipe: Recipe, parent: Path | None = None) -> JobFiles:
    files = JobFiles(folder / "job")
    about = JobBase("tiny", "nf4", content_digest(base), fingerprint(BaseSpec(str(base))))
    version = BASE if parent is None else Version("v1")
    write_job(files, Job(recipe, about, "Be kind.", version, "held-out", {}), PAIRS, PAIRS[:2], parent)
    return files


async def train(files: JobFiles, base: Path) -> tuple[Trained, list[Event]]:
    events: list[Event] = []
    training = await Here(WITHOUT_DESK).start(files, base)
    return await training.follow(events.append), events


async def test_it_needs_no_desk(tiny: Path, tmp_path: Path) -> None:
    files = job_in(tmp_path, tiny, Recipe(r=4, alpha=8, epochs=2.0))
    facts, events = await train(files, tiny)
    assert files.trained
    assert msgspec.json.decode(files.facts.read_bytes(), type=Trained) == facts
    assert (facts.examples, facts.steps) == (12, 6)
    assert Phase("training", "Training on 12 examples.") in events
    assert [event.step for event in events if isinstance(event, Step)][-1] == 6
    assert load_file(files.adapter / "adapter_model.safetensors")


async def test_it_goes_on_from_the_version_that_came_along(tiny: Path, tmp_path: Path) -> None:
    version = makers.make_adapter(tiny, tmp_path / "v1")
    recipe = Recipe(r=4, alpha=8, warm_learning_rate=1e-8, dropout=0.0, frozen=0.0)
    files = job_in(tmp_path, tiny, recipe, version)
    (version / "adapter_model.safetensors").rename(tmp_path / "gone.safetensors")
    await train(files, tiny)
    before, after = load_file(tmp_path / "gone.safetensors"), load_file(files.adapter / "adapter_model.safetensors")
    assert before.keys() == after.keys()
    assert all((before[name] - after[name]).abs().max() < 1e-4 for name in before)


async def test_another_base_is_refused(tiny: Path, tmp_path: Path) -> None:
    files = job_in(tmp_path, tiny, Recipe(r=4, alpha=8))
    other = makers.make(tmp_path / "other", seed=9)
    with pytest.raises(RunFailure):
        await train(files, other)
    assert not files.trained


async def test_the_end_of_its_input_leaves_a_checkpoint(tiny: Path, tmp_path: Path) -> None:
    files = job_in(tmp_path, tiny, Recipe(r=4, alpha=8, epochs=500.0))
    training = await Here(WITHOUT_DESK).start(files, tiny)
    begun = asyncio.Event()
    following = asyncio.create_task(
        training.follow(lambda event: begun.set() if isinstance(event, Step) else None), name="following"
    )
    await asyncio.wait({asyncio.create_task(begun.wait()), following}, return_when=asyncio.FIRST_COMPLETED)
    await training.stop()
    with pytest.raises(RunFailure, match=str(INTERRUPTED)):
        await following
    assert files.last_checkpoint() is not None
    assert not files.trained
