"""Which layers of a base get an adapter, and where they lie."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from finetune.recipe import WITH_LAYERS, Recipe


def layers_of(base: Any) -> tuple[nn.Module, str] | None:
    """Where the layers of *base* are: a module and the name of its list of them; None: they are not in a plain list."""
    for module in base.base_model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == base.config.num_hidden_layers:
                return module, name
    return None


def frozen_layers(base: Any, recipe: Recipe) -> int:
    """How many of the lowest layers of *base* get no adapter by *recipe*."""
    if recipe.method not in WITH_LAYERS or layers_of(base) is None:
        return 0
    return math.floor(recipe.frozen * int(base.config.num_hidden_layers))


def learning(base: Any, recipe: Recipe) -> list[str]:
    """The names of all linear layers of *base* that may learn: those inside the layers above the frozen ones."""
    found = layers_of(base)
    linear = {name: part for name, part in base.named_modules() if isinstance(part, nn.Linear)}
    if found is None:
        return list(linear)
    module, name = found
    layers = getattr(module, name)
    lowest = {id(part) for layer in layers[: frozen_layers(base, recipe)] for part in layer.modules()}
    inside = {id(part) for layer in layers for part in layer.modules()}
    return [name for name, part in linear.items() if id(part) in inside and id(part) not in lowest]
