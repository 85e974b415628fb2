"""How many steps a training takes, and after which of them it is validated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from finetune.recipe import Recipe

TIMES = 4  # validations in a training at most, unless the recipe says how often: at the ends of epochs


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps``: in all; ``validate_every``: so many steps, 0: at the ends of epochs."""

    steps: int
    steps_per_epoch: int
    rows_per_step: int
    epochs: float
    validate_every: int = 0

    @classmethod
    def of(cls, recipe: Recipe, rows: int, *, warm: bool) -> Plan:
        """The plan for *rows* rows; *warm*: going on from a version."""
        epochs = recipe.warm_epochs if warm else recipe.epochs
        rows_per_step = recipe.batch_size * recipe.gradient_accumulation
        steps_per_epoch = math.ceil(rows / rows_per_step)
        steps = recipe.steps or math.ceil(epochs * steps_per_epoch)
        return cls(steps, steps_per_epoch, rows_per_step, epochs, recipe.evaluate_every)

    def epoch(self, step: int) -> float:
        """How often the rows were gone through after *step* steps."""
        return step / self.steps_per_epoch

    def validates_after(self, step: int) -> bool:
        """Whether a validation is due when *step* steps are taken; after the last one it always is."""
        if step in (0, self.steps):
            return step > 0
        if self.validate_every:
            return step % self.validate_every == 0
        epoch, rest = divmod(step, self.steps_per_epoch)
        return rest == 0 and epoch % max(1, math.ceil(self.epochs / TIMES)) == 0
