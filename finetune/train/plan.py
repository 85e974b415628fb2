"""How many steps a training takes, and after which of them it is validated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from finetune.recipe import Recipe

TIMES = 4  # validations in a training at most, unless the recipe says how often: at the ends of epochs


FALL = 0.3  # of the steps until a training has learned what it is to: so many more, in which the rate falls to zero


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps``: in all; of a training that goes on until it is taught, at most. ``validate_every``: so many steps, 0:
    at the ends of epochs."""

    steps: int
    steps_per_epoch: int
    rows_per_step: int
    epochs: float
    validate_every: int = 0
    until_taught: bool = False

    @classmethod
    def of(cls, recipe: Recipe, rows: int, *, warm: bool) -> Plan:
        """The plan for *rows* rows an epoch; *warm*: going on from a version."""
        chosen = recipe.warm_epochs if warm else recipe.epochs
        epochs = chosen or recipe.most_epochs
        rows_per_step = recipe.batch_size * recipe.gradient_accumulation
        steps_per_epoch = math.ceil(rows / rows_per_step)
        steps = recipe.steps or math.ceil(epochs * steps_per_epoch)
        until_taught = not chosen and not recipe.steps
        return cls(steps, steps_per_epoch, rows_per_step, epochs, recipe.evaluate_every, until_taught)

    def epoch(self, step: int) -> float:
        """How often the rows were gone through after *step* steps."""
        return step / self.steps_per_epoch

    def last(self, falls_from: int | None) -> int:
        """After which step training ends, if the rate falls from step *falls_from* on; None: it does not fall yet."""
        if not self.until_taught or falls_from is None:
            return self.steps
        return min(self.steps, falls_from + max(self.steps_per_epoch, math.ceil(FALL * falls_from)))

    @property
    def falls_at_latest(self) -> int:
        """The step from which the rate falls, taught or not, so that it is down at the last one."""
        return math.floor(self.steps / (1 + FALL))

    def ends_epoch(self, step: int) -> bool:
        """Whether *step* is the last one of an epoch."""
        return step > 0 and step % self.steps_per_epoch == 0

    def validates_after(self, step: int, falls_from: int | None = None) -> bool:
        """Whether a validation is due when *step* steps are taken; after the last one (see :meth:`last`) it always
        is."""
        if step in (0, self.last(falls_from)):
            return step > 0
        if self.validate_every:
            return step % self.validate_every == 0
        return self.ends_epoch(step) and self.epoch(step) % max(1, math.ceil(self.epochs / TIMES)) == 0
