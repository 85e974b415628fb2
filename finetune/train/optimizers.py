"""What moves the weights, and how fast."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from finetune.recipe import Recipe
from finetune.train.plan import Plan

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
    """The rate of a training whose end is not known when it begins: it rises over *warmup* steps, and falls along a
    cosine (Loshchilov and Hutter 2017, "SGDR") as often as it is told to, from the height it is told."""

    def __init__(self, optimizer: torch.optim.Optimizer, warmup: int) -> None:
        self.warmup, self.begins, self.ends, self.height = max(1, warmup), 0, 1, 1.0
        super().__init__(optimizer)

    def fall(self, begin: int, end: int, height: float | None = None) -> None:
        """Fall to zero from step *begin* to step *end*, from *height*, a share of the full rate; None: from where it
        is."""
        self.height = self._share(begin) if height is None else height
        self.begins, self.ends = begin, end

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rates of the step to come."""
        share = min(1.0, (self.last_epoch + 1) / self.warmup) * self._share(self.last_epoch)
        return [rate * share for rate in self.base_lrs]

    def _share(self, step: int) -> float:
        done = min(1.0, max(0, step - self.begins) / max(1, self.ends - self.begins))
        return self.height * 0.5 * (1 + math.cos(math.pi * done))


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, plan: Plan) -> Any:
    """The learning rate over the steps of *plan*: it rises, then falls as the recipe says; or, where training goes on
    until it is taught, as that comes about."""
    from transformers import get_scheduler

    if plan.until_taught:
        schedule = UntilTaught(optimizer, math.ceil(recipe.warmup * plan.usual))
        schedule.fall(0, plan.usual, 1.0)
        return schedule
    warmup = math.ceil(recipe.warmup * plan.steps)
    return get_scheduler(recipe.schedule, optimizer, num_warmup_steps=warmup, num_training_steps=plan.steps)
