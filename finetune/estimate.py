"""How long a run will take, by what this machine's own runs took. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from bot.lengths import estimated_tokens
from finetune.events import Step, recorded
from finetune.lengths import PROMPT_TOKENS
from finetune.parent import warm_parent
from finetune.recipe import Recipe
from store.desk import Desk
from store.records import Pair
from store.words import BASE

# Trained tokens a second where this desk has no run of its own to go by: SmolLM2-135M on 2 cores, benchmarks/.
DEFAULT_SPEED = 200.0
STARTING_SECONDS = 25.0  # of the two processes of a run
ANSWER_SECONDS = 0.8  # for a held-out question, answered by two versions


def estimate_seconds(desk: Desk, recipe: Recipe, training: Sequence[tuple[Pair, bool]] | None = None) -> float:
    """Seconds until the verdict of a run with *recipe*. *training*: the desk's training set, if it is at hand."""
    pairs = desk.pairs.training_set() if training is None else training
    weighted = [(tokens_of(pair), recipe.new_weight if new else 1) for pair, new in pairs]
    epochs = recipe.epochs if warm_parent(desk, recipe) == BASE else recipe.warm_epochs
    if recipe.steps:
        seen = sum(weight for _, weight in weighted)
        epochs = recipe.steps * recipe.batch_size * recipe.gradient_accumulation / max(1, seen)
    learning = sum(tokens * weight for tokens, weight in weighted) * epochs / measured_speed(desk)
    return STARTING_SECONDS + learning + ANSWER_SECONDS * desk.pairs.count(split="heldout")


def tokens_of(pair: Pair) -> float:
    """About how many tokens *pair* takes."""
    text = "".join([pair.instruction, pair.output, *(side for exchange in pair.history for side in exchange)])
    return PROMPT_TOKENS + estimated_tokens(text)


def measured_speed(desk: Desk) -> float:
    """Trained tokens a second of the desk's last run that came to its verdict, else of a small machine."""
    for run in desk.runs.list(limit=10):
        if run.verdict is not None and (row := desk.runs.last_event(run.id, "step")) is not None:
            step = recorded(row).event
            return (step.tokens_per_second if isinstance(step, Step) else None) or DEFAULT_SPEED
    return DEFAULT_SPEED
