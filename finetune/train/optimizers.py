"""What moves the weights, and how fast."""

from __future__ import annotations

import math
import re
from typing import Any

import torch

from finetune.recipe import Recipe

BITS_8 = ("adamw_8bit", "paged_adamw_8bit")  # bitsandbytes' own, for a GPU
_KEPT = re.compile(r"bias|layernorm|rmsnorm|(^|[._])norm($|\.)")  # weights that are never pulled towards zero


def make_optimizer(model: torch.nn.Module, recipe: Recipe, rate: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) over what is learned of *model*, at the learning rate *rate*."""
    groups = _groups(model, recipe, rate)
    if recipe.optimizer not in BITS_8:
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    from bitsandbytes.optim import AdamW, GlobalOptimManager

    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):  # its gradients are too uneven for 8 bits
            GlobalOptimManager.get_instance().register_module_override(module, "weight", {"optim_bits": 32})
    made: torch.optim.Optimizer = AdamW(groups, lr=rate, optim_bits=8, is_paged=recipe.optimizer.startswith("paged"))
    return made


def _groups(model: torch.nn.Module, recipe: Recipe, rate: float) -> list[dict[str, Any]]:
    """What is learned, by how it is to be moved: with LoRA+ (Hayou et al. 2024) the second matrices of LoRA learn
    faster than the first; biases and norms don't decay."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            fast = recipe.lora_plus != 1.0 and ".lora_B." in name
            groups.setdefault((fast, _KEPT.search(name.lower()) is None), []).append(value)
    return [
        {
            "params": params,
            "lr": rate * (recipe.lora_plus if fast else 1.0),
            "weight_decay": recipe.weight_decay if decays else 0.0,
        }
        for (fast, decays), params in sorted(groups.items(), key=lambda item: item[0])
    ]


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> Any:
    """The learning rate over *steps* steps: it rises, then falls as the recipe says."""
    from transformers import get_scheduler

    warmup = math.ceil(recipe.warmup * steps)
    return get_scheduler(recipe.schedule, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
