"""LoRA: two small matrices beside every chosen linear layer (Hu et al. 2021); on a 4-bit base it is QLoRA
(Dettmers et al. 2023)."""

from __future__ import annotations

from typing import Any

from finetune.recipe import Recipe


def config(recipe: Recipe) -> Any:
    """peft's config for *recipe*. B starts at zero: the adapter begins as no change, and the base stays as it is
    (inits that change the base, such as PiSSA, would break rollback)."""
    from peft import LoraConfig

    return LoraConfig(
        r=recipe.r,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=recipe.targets,
        bias="none",
        task_type="CAUSAL_LM",
    )
