"""The retrain advisor: what waits to be learned, how long that takes here, and when it is worth it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from finetune.estimate import estimate
from finetune.recipe import RecipeError
from store import times
from store.desk import Desk
from tui.core.recipes import desk_recipe

ENOUGH = 10  # corrections: below this a retraining changes little that customers would meet today
OLD = timedelta(days=1)  # but no correction waits longer than a day for the next one


@dataclass(frozen=True, slots=True)
class Advice:
    """``new``: corrections that wait; ``seconds``: until the verdict, if training began now; ``oldest``: when the first
    of them was made, as the store writes times."""

    new: int = 0
    seconds: float = 0.0
    oldest: str | None = None

    @property
    def minutes(self) -> int:
        """For the operator, at least one."""
        return max(1, round(self.seconds / 60))

    def worth_it(self, now: datetime | None = None) -> bool:
        """Whether to retrain: :data:`ENOUGH` corrections wait, or one of them has waited for :data:`OLD`."""
        if self.new >= ENOUGH:
            return True
        if self.oldest is None:
            return False
        return (now or datetime.fromisoformat(times.now())) - datetime.fromisoformat(self.oldest) >= OLD


def advise(desk: Desk) -> Advice:
    """Look. On a desk of many pairs this takes a while: not in the event loop."""
    waiting = desk.judgements.waiting_pairs()
    if not waiting:
        return Advice()
    try:
        seconds = estimate(desk, desk_recipe(desk, desk.settings.load().recipe)).seconds
    except RecipeError:
        seconds = 0.0
    return Advice(len(waiting), seconds, min(pair.created_at for pair in waiting))
