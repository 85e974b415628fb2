"""The tuning methods, one file each, and the one table that lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finetune.methods import lora
from finetune.recipe import Recipe

# method -> what makes peft's config of a recipe. qlora is lora on a base in NF4.
METHODS: dict[str, Callable[[Recipe], Any]] = {"qlora": lora.config, "lora": lora.config}
