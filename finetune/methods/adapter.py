"""Adapter Tuning (Houlsby et al. 2019): narrow detours after attention and feed-forward; see
:mod:`bot.kinds.bottleneck`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bot.kinds.bottleneck import Bottlenecks
from bot.types import EngineError
from finetune.methods.layers import learning
from finetune.methods.method import Tuned, unfit
from finetune.recipe import Recipe


class _Adapter(Tuned):
    """The base with fp32 detours attached, which train; the base is held beside them, not trained."""

    model: Bottlenecks

    def save(self, folder: Path) -> None:
        """Config and weights."""
        self.model.save(folder, str(self.base.name_or_path))

    def warm_start(self, folder: Path) -> None:
        """The same places, size and function are needed."""
        try:
            self.model.load_state_dict(Bottlenecks.read(folder).state_dict())
        except (RuntimeError, EngineError) as error:
            raise unfit(folder) from error


def build(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> Tuned:
    """Detours of ``adapter_size``, or of the base's width over ``adapter_reduction`` where that is given."""
    size = recipe.adapter_size
    if recipe.adapter_reduction:
        size = max(1, base.config.hidden_size // recipe.adapter_reduction)
    places = learning(base, recipe)
    detours = Bottlenecks.for_base(base, size, recipe.adapter_activation, places).to(base.device, torch.float32)
    detours.attach(base)
    return _Adapter(base, detours)
