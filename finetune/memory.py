"""Where a run's memory goes, and what would free some. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bot.bases.limits import full_training_parts, training_parts
from finetune.recipe import VIRTUAL, Recipe

PAIR_TOKENS = 256  # of a pair as batches hold it, with its padding; a support answer with some history
WORTH = 50 * 2**20  # bytes; a change that frees less is not worth a sentence


@dataclass(frozen=True, slots=True)
class Saving:
    """A change of the recipe and about how many bytes it frees."""

    change: str
    frees: int

    @property
    def words(self) -> str:
        """For a sentence."""
        return f"{self.change} frees {self.frees / 2**30:.1f} GiB"


def memory_plan(folder: Path, quantization: str, recipe: Recipe) -> dict[str, int]:
    """The bytes a run with *recipe* needs, by what takes them. Raises :class:`OSError` or :class:`ValueError` for a
    base whose config can't be read."""
    texts = 2 if recipe.learns_from_mistakes else 1  # a pair, and the wrong reply to its question
    tokens = texts * recipe.batch_size * min(recipe.max_length, PAIR_TOKENS)
    if recipe.method == "full":
        return full_training_parts(folder, tokens, checkpointing=recipe.checkpointing)
    return training_parts(folder, quantization, tokens, recipe.r, checkpointing=recipe.checkpointing)


def savings(folder: Path, quantization: str, recipe: Recipe) -> list[Saving]:
    """What can be changed, the change that frees most first."""
    before = sum(memory_plan(folder, quantization, recipe).values())
    changes: list[tuple[str, Recipe, str]] = []
    if recipe.batch_size > 1 and (smaller := recipe.smaller()) is not None:
        steps = f"gradient_accumulation = {smaller.gradient_accumulation}"
        changes.append((f"batch_size = {smaller.batch_size} with {steps}", smaller, quantization))
    if not recipe.checkpointing and recipe.method not in VIRTUAL:
        changes.append(("checkpointing = true", replace(recipe, checkpointing=True), quantization))
    if recipe.method == "full":
        changes.append(("method = lora", replace(recipe, method="lora"), quantization))
    if recipe.method == "lora" and quantization != "nf4":
        changes.append(("method = qlora on nf4", replace(recipe, method="qlora"), "nf4"))
    found = [Saving(change, before - sum(memory_plan(folder, held, other).values())) for change, other, held in changes]
    return sorted((saving for saving in found if saving.frees >= WORTH), key=lambda saving: -saving.frees)


def plan_words(plan: dict[str, int]) -> str:
    """A plan for a sentence, the largest part first."""
    parts = sorted(plan.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {size / 2**30:.1f}" for name, size in parts)
