"""The memory ladder: a training that runs out of memory goes on by itself, with the same steps in smaller parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.traces import print_trace
from finetune.events import Fitted, Trained
from finetune.failures import RunFailure
from finetune.recipe import Recipe
from finetune.run.context import RunContext

FITTED = ("batch_size", "gradient_accumulation", "checkpointing")  # what a rung changes


async def train_as_it_fits(run: RunContext, train_once: Callable[[Recipe], Awaitable[Trained]]) -> Trained:
    """*train_once* with the run's recipe, and again a rung further down each time that memory does not suffice; a
    resumed run begins on the rung it came to. Raises :class:`RunFailure`, from the lowest rung ``out-of-memory``."""
    recipe = _rung(run)
    while True:
        try:
            return await train_once(recipe)
        except RunFailure as failure:
            smaller = recipe.smaller() if failure.kind == "out-of-memory" else None
            if smaller is None:
                raise
            print_trace(failure)
        _step_down(run, recipe, smaller)
        recipe = smaller


def _rung(run: RunContext) -> Recipe:
    fitted = run.fitted()
    if fitted is None:
        return run.recipe
    known = {name: value for name in FITTED if (value := getattr(fitted, name)) is not None}
    return replace(run.recipe, **known)


def _step_down(run: RunContext, before: Recipe, now: Recipe) -> None:
    change = (
        "recomputing activations instead of keeping them"
        if now.checkpointing and not before.checkpointing
        else f"in batches of {now.batch_size}, {now.gradient_accumulation} to a step"
    )
    again = "from the last checkpoint" if run.files.job.last_checkpoint() is not None else "from the beginning"
    sentence = f"Memory ran out. Training continues {again}, {change}: the same steps with less memory."
    run.emit(Fitted(sentence, now.batch_size, now.gradient_accumulation, now.checkpointing))
