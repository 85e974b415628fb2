"""Full fine-tuning: every weight of a small dense base. The yardstick of the others, not a way to run a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bot.kinds.full import save_all
from bot.kinds.kind import read_weights
from bot.types import EngineError
from finetune.methods.method import Tuned, unfit
from finetune.recipe import Recipe


class _Full(Tuned):
    """The base itself."""

    def save(self, folder: Path) -> None:
        """Every weight, in bf16: what the base is served in."""
        self.model.to(torch.bfloat16)
        save_all(self.model, folder, str(self.base.name_or_path))

    def warm_start(self, folder: Path) -> None:
        """All weights, or none."""
        try:
            weights = read_weights(folder)
        except EngineError as error:
            raise unfit(folder) from error
        here = dict(self.model.named_parameters())
        if set(weights) != set(here) or any(value.shape != here[name].shape for name, value in weights.items()):
            raise unfit(folder)
        for name, value in weights.items():
            here[name].data.copy_(value)


def build(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> Tuned:
    """Every weight, held in fp32 while it trains: steps of 1e-5 are below what bf16 can tell from nothing."""
    base.float().requires_grad_(True)
    return _Full(base, base)
