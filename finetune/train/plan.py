"""How many steps a training takes, and after which of them it is validated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.recipe import Recipe

TIMES = 4  # validations in a training at most, unless the recipe says how often: at the ends of epochs
FALL = 0.5  # of the steps until a training knows most of what it is to: so many more, in which the rate falls to zero
FALLS_AT = 0.6  # of the taught questions known: at the full rate the last ones come and go, as it falls they stay

Fall = tuple[int, int]  # the steps after which the learning rate begins to fall, and is down


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

    def last(self, falls: Sequence[Fall]) -> int:
        """After which step training ends, by the *falls* of its rate so far."""
        return falls[-1][1] if falls else self.steps

    def fall(self, step: int, before: Sequence[Fall]) -> Fall:
        """The fall of the rate that begins after *step*; those *before* it were of the same length."""
        length = before[0][1] - before[0][0] if before else max(2 * self.steps_per_epoch, math.ceil(FALL * step))
        return step, min(self.steps, step + length)

    @property
    def falls_at_latest(self) -> int:
        """The step from which the rate falls, taught or not, so that it is down at the last one."""
        return min(math.floor(self.steps / (1 + FALL)), self.steps - 2 * self.steps_per_epoch)

    def ends_epoch(self, step: int) -> bool:
        """Whether *step* is the last one of an epoch."""
        return step > 0 and step % self.steps_per_epoch == 0

    def validates_after(self, step: int, falls: Sequence[Fall] = ()) -> bool:
        """Whether a validation is due when *step* steps are taken; after the last one (see :meth:`last`) it always
        is."""
        if step in (0, self.last(falls)):
            return step > 0
        if self.validate_every:
            return step % self.validate_every == 0
        return self.ends_epoch(step) and self.epoch(step) % max(1, math.ceil(self.epochs / TIMES)) == 0
