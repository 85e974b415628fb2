"""The tuning methods, one file each, and the one table that lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finetune.methods import adapter, full, lora, virtual
from finetune.methods.method import Tuned
from finetune.recipe import Recipe

__all__ = ["METHODS", "Tuned"]

# method -> what puts it on a base: (base, tokenizer, recipe, system message) -> Tuned. qlora is lora on a base in NF4.
METHODS: dict[str, Callable[[Any, Any, Recipe, str], Tuned]] = {
    "qlora": lora.build,
    "lora": lora.build,
    "adapter": adapter.build,
    "prefix": virtual.prefix,
    "prompt": virtual.prompt,
    "ptuning-v2": virtual.ptuning_v2,
    "full": full.build,
}
