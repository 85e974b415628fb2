"""The second step of a run: training, wherever the launcher does it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import msgspec

from finetune.events import Phase, Trained
from finetune.files import JobFiles
from finetune.job import Job, JobBase, JobPair, change_recipe, spread, write_job
from finetune.libraries import library_versions
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.ladder import train_as_it_fits
from finetune.run.prepare import Prepared
from finetune.stored import made
from store.records import Pair
from store.words import BASE


async def train(run: RunContext, prepared: Prepared) -> Trained:
    """Train, and return what the training found out about itself; a run that had come that far does not do it again.

    When this is cancelled, or the desk takes no more events, the training is stopped with a checkpoint; if the run is
    to be cancelled, at once. Raises :class:`finetune.failures.RunFailure`."""
    files = run.files.job
    if files.trained and files.facts.is_file():
        run.note("Training was already complete; continuing with the check.")
        return made(msgspec.json.decode(files.facts.read_bytes()), Trained)
    if run.files.begun_by_earlier_deskloop:
        run.note("An earlier deskloop wrote this run's checkpoint, which this one can't use. Training starts again.")
    again = files.last_checkpoint() is not None
    start = (
        "Continuing from the last checkpoint"
        if again
        else f"Learning from {len(prepared.data.train)} pairs, from {prepared.parent}"
    )
    run.emit(Phase("loading", f"{start}: loading the model."))
    return await train_as_it_fits(run, lambda recipe: train_once(run, prepared, recipe))


async def train_once(run: RunContext, prepared: Prepared, recipe: Recipe) -> Trained:
    """One training with *recipe*, which is the run's own or a rung of its ladder. Ends and raises as :func:`train`."""
    training = await run.launcher.start(_job(run, prepared, recipe), Path(prepared.spec.folder))
    try:
        return await training.follow(run.emit)
    except BaseException:
        await (training.cancel() if run.wishes.wish == "cancel" else training.stop())
        raise


def _job(run: RunContext, prepared: Prepared, recipe: Recipe) -> JobFiles:
    """The job's folder. It is written when the run begins, and only its recipe changes afterwards."""
    files, data, spec = run.files.job, prepared.data, prepared.spec
    job = Job(
        recipe=recipe,
        base=JobBase(Path(spec.folder).name, spec.quantization, spec.digest, prepared.mark),
        system=run.system,
        parent=prepared.parent,
        watched="validation" if data.validation else "held-out",
        libraries=library_versions(),
    )
    planted = [JobPair(canary.question, (), canary.answer, "en") for canary in run.canaries]
    learned = chain((_job_pair(pair, weight) for pair, weight in data.train), planted)
    watched = map(_job_pair, data.validation or spread(data.heldout))
    write_job(files, job, learned, watched, None if prepared.parent == BASE else run.folder(prepared.parent))
    change_recipe(files, recipe)
    return files


def _job_pair(pair: Pair, weight: int = 1) -> JobPair:
    return JobPair(pair.instruction, pair.history, pair.output, pair.lang, weight)
