"""Virtual tokens: Prefix Tuning (Li and Liang 2021), P-Tuning v2 (Liu et al. 2021), Prompt Tuning (Lester et al. 2021).

All three put something before the text that is the same for every text. At serving time that something is nothing but
the keys and values its places have in every layer: learned as such by the first two, and for a soft prompt computed
once from its vectors, since under a causal mask they depend on nothing that comes later. So generation starts from a
cache that already holds them. That is exact where going through peft is not: batches with padding on the left, and
caches reused from turn to turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from bot.kinds.kind import Layers, checked_config, damaged, read_weights

SOFT_PROMPT, PREFIX = "PROMPT_TUNING", "PREFIX_TUNING"


class VirtualKind:
    """The learned vectors of every version, and their keys and values; see :class:`bot.kinds.kind.Kind`."""

    def __init__(self, base: Any, dtype: torch.dtype) -> None:
        self._base, self._dtype = base, dtype
        self._vectors: dict[str, torch.Tensor] = {}
        self._layers: dict[str, Layers] = {}
        self._serving: str | None = None

    @property
    def before(self) -> Layers | None:
        """The keys and values of what serves."""
        return None if self._serving is None else self._layers[self._serving]

    def load(self, version: str, folder: Path) -> None:
        """Read the vectors and make their keys and values."""
        config, weights = checked_config(folder), read_weights(folder)
        vectors = weights.get("prompt_embeddings")
        if vectors is None or vectors.dim() != 2:
            raise damaged(folder, "prompt_embeddings")
        vectors = vectors.to(self._base.device, self._dtype)
        try:
            layers = self._prefix(vectors) if config["peft_type"] == PREFIX else self._soft_prompt(vectors)
        except RuntimeError as error:
            raise damaged(folder, f"vectors of {vectors.shape[1]} numbers") from error
        self._vectors[version], self._layers[version] = vectors, layers

    def _prefix(self, vectors: torch.Tensor) -> Layers:
        return split_layers(vectors, self._base.config)

    @torch.inference_mode()
    def _soft_prompt(self, vectors: torch.Tensor) -> Layers:
        cache = DynamicCache()
        self._base.base_model(inputs_embeds=vectors[None], past_key_values=cache, use_cache=True)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def forget(self, version: str) -> None:
        """Drop it."""
        self._vectors.pop(version, None)
        self._layers.pop(version, None)
        if self._serving == version:
            self._serving = None

    def serve(self, version: str | None) -> None:
        """From the next text on."""
        self._serving = version

    def tensors(self, version: str) -> Iterator[torch.Tensor]:
        """The learned vectors."""
        yield self._vectors[version]


def split_layers(vectors: torch.Tensor, config: Any) -> Layers:
    """A prefix's vectors, (tokens, layers * 2 * key heads * head size), as keys and values of each layer."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    shaped = vectors.view(1, vectors.shape[0], config.num_hidden_layers * 2, heads, size).permute(2, 0, 3, 1, 4)
    return [(shaped[2 * layer], shaped[2 * layer + 1]) for layer in range(config.num_hidden_layers)]


def cache_of(layers: Layers | None, batch: int) -> DynamicCache:
    """A fresh cache for *batch* texts that begins with *layers*."""
    cache = DynamicCache()
    for number, (keys, values) in enumerate(layers or []):
        cache.update(keys.expand(batch, -1, -1, -1), values.expand(batch, -1, -1, -1), number)
    return cache
