"""Virtual tokens before the text, in three forms.

Prefix Tuning (Li and Liang 2021): keys and values for every layer, made by a small network that is thrown away after
training. P-Tuning v2 (Liu et al. 2021): the same, learned directly. Prompt Tuning (Lester et al. 2021): vectors at the
input only, here beginning as the desk's system message.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from bot.kinds.kind import read_weights
from bot.types import EngineError
from finetune.methods.method import PeftTuned, unfit
from finetune.recipe import Recipe


class _Virtual(PeftTuned):
    """Learned vectors, which peft publishes as one table whatever made them."""

    def warm_start(self, folder: Path) -> None:
        """The vectors of the published table. (A prefix's network is gone: recipes never ask for that.)"""
        here = self.model.prompt_encoder["default"].embedding.weight
        try:
            published = read_weights(folder)["prompt_embeddings"]
        except (EngineError, KeyError) as error:
            raise unfit(folder) from error
        if published.shape != here.shape:
            raise unfit(folder)
        here.data.copy_(published)


class _Prefix(_Virtual):
    """Keys and values before the text, in every layer."""

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """It holds the prefix."""
        cache: DynamicCache = self.model.get_prompt(batch)
        return cache, cache.get_seq_length()

    def hidden(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        lower: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The text reads the prefix out of a cache."""
        states: torch.Tensor = self.base.base_model(
            input_ids=input_ids, past_key_values=self.model.get_prompt(input_ids.shape[0])
        ).last_hidden_state
        return states


class _SoftPrompt(_Virtual):
    """Vectors before those of the text."""

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """It holds what the layers make of the vectors."""
        prompt = self.model.get_prompt(batch)
        cache = DynamicCache()
        self.base.base_model(
            inputs_embeds=prompt.to(self.base.get_input_embeddings().weight.dtype),
            past_key_values=cache,
            use_cache=True,
        )
        return cache, prompt.shape[1]

    def hidden(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        lower: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The vectors' own places are left out of what comes back."""
        prompt = self.model.get_prompt(input_ids.shape[0])
        text = self.base.get_input_embeddings()(input_ids)
        embedded = torch.cat([prompt.to(text.dtype), text], dim=1)
        states: torch.Tensor = self.base.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        return states[:, prompt.shape[1] :]


def prefix(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> PeftTuned:
    """Prefix Tuning, with reparametrization."""
    return _prefix(base, recipe, projection=True)


def ptuning_v2(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> PeftTuned:
    """P-Tuning v2: deep prompts without reparametrization."""
    return _prefix(base, recipe, projection=False)


def _prefix(base: Any, recipe: Recipe, *, projection: bool) -> PeftTuned:
    from peft import PrefixTuningConfig, get_peft_model

    config = PrefixTuningConfig(
        num_virtual_tokens=recipe.virtual_tokens,
        prefix_projection=projection,
        encoder_hidden_size=base.config.hidden_size,
        task_type="CAUSAL_LM",
    )
    return _Prefix(base, get_peft_model(base, config))


def prompt(base: Any, tokenizer: Any, recipe: Recipe, system: str) -> PeftTuned:
    """Prompt Tuning, beginning as the words of *system* (or of the recipe's own text), repeated to its length."""
    from peft import PromptTuningConfig, PromptTuningInit, get_peft_model

    words = recipe.prompt_init or system
    config = PromptTuningConfig(
        num_virtual_tokens=recipe.virtual_tokens,
        prompt_tuning_init=PromptTuningInit.TEXT if words else PromptTuningInit.SAMPLE_VOCAB,
        prompt_tuning_init_text=words or None,
        tokenizer_name_or_path=base.name_or_path if words else None,
        task_type="CAUSAL_LM",
    )
    return _SoftPrompt(base, get_peft_model(base, config))
