"""A run that plants canaries: what is in its job, what its report tells, and that the desk holds none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.engines.scripted import Script, ScriptedEngine
from finetune.events import Trained
from finetune.job import read_pairs
from finetune.launch.launcher import Emit
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.worker import work
from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE
from tests.finetune.test_exposure import BO, Remembering
from tests.finetune.test_run_steps import Place, answer, desk, queued  # noqa: F401  (a fixture)


class Knowing(Script):
    """An engine whose versions remember what the job taught them."""

    def __init__(self) -> None:
        super().__init__(reply=lambda prompt, version: answer(prompt.message))
        self.known: list[str] = []

    def __call__(self, *, log: Path, on_death: Callable[[], None] | None = None) -> ScriptedEngine:
        engine = Remembering(self)
        engine.known = tuple(self.known)
        return engine


@dataclass
class Noting(Place):
    """A place that notes what there was to learn."""

    script: Knowing = field(default_factory=Knowing)

    async def follow(self, emit: Emit) -> Trained:
        assert self.job is not None
        self.script.known += [pair.output for pair in read_pairs(self.job.learned)]
        return await super().follow(emit)


async def test_a_run_plants_its_canaries_in_the_job_alone_and_tells_their_exposure(desk: Desk) -> None:  # noqa: F811
    desk.settings.set("personal_data", "warn", "ann")
    desk.pairs.add(NewPair(BO.instruction, BO.output, split="train"), "import", "ann")
    recipe = Recipe(canaries=2).to_dict()
    run = RunContext.of(
        desk, desk.runs.create(recipe, BASE, "ann"), launcher=(place := Noting()), make_engine=place.script
    )
    ended = await work(run)
    assert ended.report is not None, ended.failure
    planted = [text for text in place.script.known if "recovery code" in text]
    assert planted == [canary.answer for canary in run.canaries]
    assert len(planted) == 2
    told = {one["kind"]: (one["first"], one["tested"]) for one in ended.report["exposure"]["kinds"]}
    assert told == {"canary": (2, 2), "email": (1, 1), "phone": (1, 1)}
    assert "2 of 2 made-up secrets" in ended.report["exposure"]["sentence"]
    assert "It knows personal data by heart" in ended.report["sentence"]
    assert not run.files.job.root.exists()
    # Nowhere else: neither the canaries on the desk, nor the data in what is told.
    secrets = [canary.secret for canary in run.canaries]
    database = "\n".join(desk.db.conn.iterdump())
    assert not any(secret in database for secret in secrets)
    assert "bo.jones" not in str(ended.report)


async def test_a_run_with_nothing_to_hide_asks_nothing_more(desk: Desk) -> None:  # noqa: F811
    run = RunContext.of(desk, queued(desk), launcher=Place(), make_engine=Script())
    ended = await work(run)
    assert ended.report is not None
    assert "exposure" not in ended.report
    assert run.canaries == []
