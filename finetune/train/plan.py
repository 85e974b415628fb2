"""How many steps a training takes, and after which of them it is validated. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.recipe import Recipe

TIMES = 4  # validations in a training at most, unless the recipe says how often: at the ends of epochs
# Of an answer's phrasings that teach it whole in an epoch (see finetune.train.openings), at least one.
WHOLE_SHARE = 0.25
CLOSING = 0.2  # of the steps until all is taught: so many more, in which the rate goes down

Fall = tuple[int, int]  # the steps after which the learning rate begins to fall, and is down


def usual_epochs(phrasings: float) -> float:
    """About how many epochs it takes until a bot is taught, by how often an epoch has each answer (*phrasings*): with
    one phrasing an answer some twenty, with four eight, with ten not quite six. Eight is what the sample desk took; the
    others follow from how often an answer is seen, and are no bound."""
    return 4 + 16 / max(1.0, phrasings)


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps``: in all; of a training that goes on until it is taught, at most. ``usual``: the steps in which the rate
    of such a training falls at first. ``validate_every``: so many steps, 0: at the ends of epochs."""

    steps: int
    steps_per_epoch: int
    rows_per_step: int
    epochs: float
    validate_every: int = 0
    until_taught: bool = False
    usual: int = 0

    @classmethod
    def of(cls, recipe: Recipe, rows: int, *, warm: bool, phrasings: float = 1.0) -> Plan:
        """The plan for *rows* rows an epoch; *warm*: going on from a version; *phrasings*: how often an epoch has each
        answer that is to be learned."""
        chosen = recipe.warm_epochs if warm else recipe.epochs
        epochs = chosen or recipe.most_epochs
        rows_per_step = recipe.batch_size * recipe.gradient_accumulation
        steps_per_epoch = math.ceil(rows / rows_per_step)
        steps = recipe.steps or math.ceil(epochs * steps_per_epoch)
        until_taught = not chosen and not recipe.steps
        usual = min(steps, math.ceil(usual_epochs(phrasings) * steps_per_epoch))
        return cls(steps, steps_per_epoch, rows_per_step, epochs, recipe.evaluate_every, until_taught, usual)

    def epoch(self, step: int) -> float:
        """How often the rows were gone through after *step* steps."""
        return step / self.steps_per_epoch

    def last(self, falls: Sequence[Fall]) -> int:
        """After which step training ends, by the *falls* of its rate so far."""
        return falls[-1][1] if falls else self.steps

    def closing(self, step: int, before: Fall) -> Fall:
        """The last fall of the rate, once all is taught after *step*: not longer than the one *before* would last."""
        return step, min(before[1], step + max(self.steps_per_epoch, math.ceil(CLOSING * step)))

    def again(self, step: int) -> Fall:
        """Another fall, half as long as the first, where the rate is down after *step* and not all is taught."""
        return step, min(self.steps, step + max(1, self.usual // 2))

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
