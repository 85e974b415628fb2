"""What moves the weights, and how fast."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from finetune.recipe import Recipe
from finetune.train.plan import Plan

RISES_BY = 8  # epochs: what the share of warming up is of, where the number of steps is not known
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


class UntilTaught(LRScheduler):
    """The rate of a training whose end is not known when it begins: it rises over *warmup* steps, stays, and falls in a
    straight line to zero once it is told to (the warmup-stable-decay schedule; Hu et al. 2024, "MiniCPM"). Told to
    again, it falls from half its height."""

    def __init__(self, optimizer: torch.optim.Optimizer, warmup: int) -> None:
        self.warmup, self.begins, self.ends, self.height = max(1, warmup), -1, -1, 1.0
        super().__init__(optimizer)

    def fall(self, begin: int, end: int) -> None:
        """From step *begin* on fall to zero at step *end*."""
        self.height = 1.0 if self.begins < 0 else 0.5
        self.begins, self.ends = begin, end

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rates of the step to come."""
        step = self.last_epoch
        share = min(1.0, (step + 1) / self.warmup)
        if self.begins >= 0:
            share *= self.height * max(0.0, (self.ends - step) / max(1, self.ends - self.begins))
        return [rate * share for rate in self.base_lrs]


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, plan: Plan) -> Any:
    """The learning rate over the steps of *plan*: it rises, then falls as the recipe says; or, where training goes on
    until it is taught, once that is so."""
    from transformers import get_scheduler

    if plan.until_taught:
        return UntilTaught(optimizer, math.ceil(recipe.warmup * plan.steps_per_epoch * RISES_BY))
    warmup = math.ceil(recipe.warmup * plan.steps)
    return get_scheduler(recipe.schedule, optimizer, num_warmup_steps=warmup, num_training_steps=plan.steps)
