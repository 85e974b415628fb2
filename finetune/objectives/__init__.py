"""What a training can minimise, one file each, and the one table that lists them.

An objective says what rows it makes of the job's pairs, what a batch of them holds, and what is minimised
(:mod:`finetune.objectives.objective`). What those have in common that learn from wrong replies is
:mod:`finetune.objectives.mistakes`. Which of them need what a desk can know without loading torch is said in
:mod:`finetune.recipe`.
"""

from __future__ import annotations

from collections.abc import Callable

from finetune.objectives.dpop import Dpop
from finetune.objectives.edits import Edits
from finetune.objectives.kto import Kto
from finetune.objectives.objective import Objective
from finetune.objectives.orpo import Orpo
from finetune.objectives.sft import SFT
from finetune.recipe import Recipe

__all__ = ["Objective", "objective_of"]

_FROM_MISTAKES: dict[str, Callable[[float], Objective]] = {"edits": Edits, "orpo": Orpo, "dpop": Dpop, "kto": Kto}


def objective_of(recipe: Recipe) -> Objective:
    """The objective that *recipe* names."""
    return SFT if recipe.objective == "sft" else _FROM_MISTAKES[recipe.objective](recipe.mistake_weight)
