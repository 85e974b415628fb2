"""LoRA: two small matrices beside every chosen linear layer (Hu et al. 2021); on a 4-bit base it is QLoRA
(Dettmers et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from finetune.failures import RunFailure
from finetune.methods.layers import frozen_layers, learning
from finetune.methods.method import PeftTuned
from finetune.recipe import ALL_LINEAR, Recipe

# what a set of layers is called in which family of bases; GPT-NeoX computes query, key and value by one matrix
SETS = {
    "qv": (("q_proj", "v_proj"), ("query_key_value",)),
    "qkvo": (("q_proj", "k_proj", "v_proj", "o_proj"), ("query_key_value", "dense")),
}


def build(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> PeftTuned:
    """LoRA on *base*. B starts at zero: the adapter begins as no change, and the base stays as it is
    (inits that change the base, such as PiSSA, would break rollback)."""
    from peft import LoraConfig, get_peft_model

    ranks, alphas = recipe.patterns
    config = LoraConfig(
        r=recipe.r,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=target_modules(base, recipe),
        rank_pattern=ranks,
        alpha_pattern=alphas,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        bias="none",  # a trained bias of the base would stay behind after a rollback
        lora_bias=recipe.bias == "lora",
        task_type="CAUSAL_LM",
    )
    return PeftTuned(base, get_peft_model(base, config))


def target_modules(base: Any, recipe: Recipe) -> str | list[str]:
    """The layers of *base* that the recipe means. Raises :class:`RunFailure` (``no-such-layer``) for names, also among
    ``ranks``, that *base* does not have: peft leaves such ranks out without a word."""
    layers = {name.rpartition(".")[2] for name, part in base.named_modules() if isinstance(part, torch.nn.Linear)}
    wanted: str | Sequence[str] = recipe.targets
    if wanted != ALL_LINEAR and isinstance(wanted, str):
        wanted = next((names for names in SETS[wanted] if layers.issuperset(names)), SETS[wanted][0])
    named = [*([] if isinstance(wanted, str) else wanted), *recipe.patterns[0]]
    if unknown := sorted({name for name in named if name.rpartition(".")[2] not in layers}):
        raise RunFailure("no-such-layer", f"there is no {', '.join(unknown)}; there are {', '.join(sorted(layers))}")
    if not frozen_layers(base, recipe):
        return wanted if isinstance(wanted, str) else list(wanted)
    chosen = learning(base, recipe)
    return chosen if isinstance(wanted, str) else [name for name in chosen if name.endswith(tuple(wanted))]
