"""LoRA: two small matrices beside every chosen linear layer (Hu et al. 2021); on a 4-bit base it is QLoRA
(Dettmers et al. 2023)."""

from __future__ import annotations

from typing import Any

from finetune.methods.method import PeftTuned
from finetune.recipe import Recipe


def build(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> PeftTuned:
    """LoRA on *base*. B starts at zero: the adapter begins as no change, and the base stays as it is
    (inits that change the base, such as PiSSA, would break rollback)."""
    from peft import LoraConfig, get_peft_model

    ranks, alphas = recipe.patterns
    config = LoraConfig(
        r=recipe.r,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=recipe.targets,
        rank_pattern=ranks,
        alpha_pattern=alphas,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        bias="none",  # a trained bias of the base would stay behind after a rollback
        lora_bias=recipe.bias == "lora",
        task_type="CAUSAL_LM",
    )
    return PeftTuned(base, get_peft_model(base, config))
