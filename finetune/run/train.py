"""The second step of a run: training, wherever the launcher does it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import msgspec

from finetune.events import Phase, Trained
from finetune.files import JobFiles
from finetune.job import Job, JobBase, JobPair, change_recipe, spread, write_job
from finetune.libraries import library_versions
from finetune.mistakes import wrong_replies
from finetune.parent import known_pairs
from finetune.phrasings import phrasings
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.ladder import train_as_it_fits
from finetune.run.prepare import Prepared
from finetune.stored import made
from store.records import Pair
from store.text import language
from store.words import BASE


async def train(run: RunContext, prepared: Prepared, replayed: Sequence[JobPair] = ()) -> Trained:
    """Train, on *replayed* beside the pairs, and return what the training found out about itself; a run that had come
    that far does not do it again.

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
    return await train_as_it_fits(
        run, lambda recipe: train_once(run, job_of(run, prepared, recipe, replayed), prepared)
    )


async def train_once(run: RunContext, job: JobFiles, prepared: Prepared) -> Trained:
    """One training of *job*. Ends and raises as :func:`train`."""
    training = await run.launcher.start(job, Path(prepared.spec.folder))
    try:
        return await training.follow(run.emit)
    except BaseException:
        await (training.cancel() if run.wishes.wish == "cancel" else training.stop())
        raise


def job_of(run: RunContext, prepared: Prepared, recipe: Recipe, replayed: Sequence[JobPair] = ()) -> JobFiles:
    """The job's folder. It is written when the run begins; only its recipe, which may be a rung of the run's ladder,
    changes afterwards."""
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
    learned = chain(_learned(run, prepared, recipe), planted, replayed)
    watched = map(_job_pair, data.validation or spread(data.heldout))
    write_job(files, job, learned, watched, None if prepared.parent == BASE else run.folder(prepared.parent))
    change_recipe(files, recipe)
    return files


def _learned(run: RunContext, prepared: Prepared, recipe: Recipe) -> Iterator[JobPair]:
    """The pairs of the run, with more phrasings of their questions, and the wrong replies it learns from."""
    known, data = known_pairs(run.desk, prepared.parent), prepared.data
    wrong = wrong_replies(run.desk, recipe, [pair for pair, _ in data.train], data.mistakes)
    said: dict[str, list[str]] = {}
    for pair, _ in prepared.data.train:
        said.setdefault(pair.output, []).append(pair.instruction)
    for pair, weight in prepared.data.train:
        others = [question for question in said[pair.output] if question != pair.instruction]
        chance = random.Random(f"{recipe.seed}/{pair.id}")
        made = phrasings(pair.instruction, others, pair.lang, recipe.phrasings, chance)
        corrected = wrong.corrected.get(pair.id, "")
        yield replace(_job_pair(pair), weight=weight, known=pair.id in known, phrasings=made, wrong=corrected)
    for mistake in wrong.rejected:
        lang = language(None, mistake.wrong)
        yield JobPair(mistake.instruction, mistake.history, mistake.wrong, lang, good=False)


def _job_pair(pair: Pair) -> JobPair:
    return JobPair(pair.instruction, pair.history, pair.output, pair.lang)
