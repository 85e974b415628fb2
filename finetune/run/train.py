"""The second step of a run: training, wherever the launcher does it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from finetune.events import Phase, Trained
from finetune.recipe import Recipe
from finetune.run.context import RunContext
from finetune.run.ladder import train_as_it_fits
from finetune.run.prepare import Prepared
from finetune.stored import made
from store.words import BASE


async def train(run: RunContext, prepared: Prepared) -> Trained:
    """Train, and return what the training found out about itself; a run that had come that far does not do it again.

    When this is cancelled, or the desk takes no more events, the training is stopped with a checkpoint; if the run is
    to be cancelled, at once. Raises :class:`finetune.failures.RunFailure`."""
    kept = run.files.root / "training.json"
    if run.files.trained and kept.is_file():
        run.note("Training was complete already; going on with the check.")
        return made(json.loads(kept.read_text()), Trained)
    again = run.files.last_checkpoint() is not None
    start = (
        "Going on from the last checkpoint"
        if again
        else f"Learning from {len(prepared.data.train)} pairs, from {prepared.parent}"
    )
    run.emit(Phase("loading", f"{start}: loading the model."))
    facts = await train_as_it_fits(run, lambda recipe: train_once(run, prepared, recipe))
    kept.write_text(json.dumps(asdict(facts)))
    return facts


async def train_once(run: RunContext, prepared: Prepared, recipe: Recipe) -> Trained:
    """One training with *recipe*, which is the run's own or a rung of its ladder. Ends and raises as :func:`train`."""
    training = await run.launcher.start(_job(run, prepared, recipe))
    try:
        return await training.follow(run.emit)
    except BaseException:
        await (training.cancel() if run.wishes.wish == "cancel" else training.stop())
        raise


def _job(run: RunContext, prepared: Prepared, recipe: Recipe) -> dict[str, Any]:
    return {
        "home": str(run.desk.home.root),
        "run": run.run_id,
        "base": asdict(prepared.spec),
        "system": run.system,
        "parent": None if prepared.parent == BASE else str(run.folder(prepared.parent)),
        "recipe": recipe.to_dict(),
    }
