"""How much memory a base needs, estimated from its config alone; needs no torch.

The estimates follow from the architecture: bytes a weight, plus what the arithmetic itself takes. They are for
preflight and doctor, not for accounting: what an allocator keeps between two batches is not in them, and a long run of
the starter on a CPU came to 2.7 GB where the tensors of its largest batch need 1.7. Hence the preflight reckons with
batches of a thousand tokens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNTIME_BYTES = 700 * 2**20  # Python with torch, transformers, peft and bitsandbytes loaded, before any weight
WEIGHT_BYTES = {"nf4": 0.52, "bf16": 2.0, "fp32": 4.0}  # NF4: 4 bits and the doubly quantized scales


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a base. ``linear`` counts the weights that quantization applies to, ``other`` the rest."""

    hidden: int
    layers: int
    intermediate: int
    vocabulary: int
    linear: int
    other: int


def shape_of(folder: str | Path) -> Shape:
    """Read the sizes from ``config.json``. Raises :class:`OSError` or :class:`ValueError` if it can't."""
    config: dict[str, Any] = json.loads((Path(folder) / "config.json").read_text())
    if isinstance(inner := config.get("text_config"), dict):
        config = {**config, **inner}
    hidden, layers = _size(config, "hidden_size", "n_embd"), _size(config, "num_hidden_layers", "n_layer")
    intermediate = _size(config, "intermediate_size", "ffn_dim", "n_inner", otherwise=4 * hidden)
    vocabulary, heads = _size(config, "vocab_size"), _size(config, "num_attention_heads", "n_head")
    groups = int(config.get("num_key_value_heads") or heads)
    gated = config.get("model_type") != "gpt_neox"
    attention = hidden * hidden * 2 + 2 * hidden * (hidden * groups // heads)
    linear = layers * (attention + (3 if gated else 2) * hidden * intermediate)
    other = vocabulary * hidden * (1 if config.get("tie_word_embeddings") else 2)
    return Shape(hidden, layers, intermediate, vocabulary, linear, other)


def _size(config: dict[str, Any], *names: str, otherwise: int | None = None) -> int:
    """The first of *names* that *config* has; families call their sizes differently. Raises :class:`ValueError`."""
    found = next((config[name] for name in names if config.get(name) is not None), otherwise)
    if found is None:
        raise ValueError(f"config.json does not name {names[0]}")
    return int(found)


def weight_bytes(folder: str | Path, quantization: str) -> int:
    """The weights of the base as they lie in memory."""
    shape = shape_of(folder)
    dense = WEIGHT_BYTES["fp32" if quantization == "fp32" else "bf16"]
    return int(shape.linear * WEIGHT_BYTES[quantization] + shape.other * dense)


def serving_bytes(folder: str | Path, quantization: str) -> int:
    """An engine's memory: runtime, weights, adapters and caches."""
    return RUNTIME_BYTES + int(weight_bytes(folder, quantization) * 1.3) + 200 * 2**20


def training_parts(
    folder: str | Path,
    quantization: str,
    batch_tokens: int = 1024,
    rank: int = 16,
    *,
    dense: bool = False,
    checkpointing: bool = False,
) -> dict[str, int]:
    """A run's memory while it trains an adapter, in bytes by what takes it. *batch_tokens*: tokens of one padded batch;
    *dense*: the frozen weights are held in bf16 (see ``finetune.train.frozen``) instead of as they were quantized;
    *checkpointing*: of each layer only its input is kept."""
    shape = shape_of(folder)
    # Per layer and token: inputs of every linear layer, their dropped copies, attention and norms, in bf16.
    layer = batch_tokens * (16 * shape.hidden + 6 * shape.intermediate) * 2
    inputs = batch_tokens * shape.layers * shape.hidden * 2
    return {
        "runtime": RUNTIME_BYTES,
        "weights": weight_bytes(folder, "bf16" if dense else quantization),
        # weight, gradient, two moments
        "adapter": 4 * 4 * rank * shape.layers * (8 * shape.hidden + 3 * shape.intermediate),
        "activations": layer + inputs if checkpointing else layer * shape.layers,
        "output head": batch_tokens * shape.vocabulary * 4 * 3,  # logits, their softmax and its gradient, in fp32
    }


def training_bytes(
    folder: str | Path, quantization: str, batch_tokens: int = 1024, rank: int = 16, dense: bool = False
) -> int:
    """What :func:`training_parts` come to."""
    return sum(training_parts(folder, quantization, batch_tokens, rank, dense=dense).values())


def full_training_parts(folder: str | Path, batch_tokens: int = 1024, *, checkpointing: bool = False) -> dict[str, int]:
    """A run's memory while it trains every weight: weight, gradient and AdamW's two moments, all in fp32."""
    shape = shape_of(folder)
    layer = batch_tokens * (16 * shape.hidden + 6 * shape.intermediate) * 4
    inputs = batch_tokens * shape.layers * shape.hidden * 4
    return {
        "runtime": RUNTIME_BYTES,
        "weights": 4 * (shape.linear + shape.other),
        "gradients and moments": 12 * (shape.linear + shape.other),
        "activations": layer + inputs if checkpointing else layer * shape.layers,
        "output head": batch_tokens * shape.vocabulary * 4 * 3,
    }


def full_training_bytes(folder: str | Path, batch_tokens: int = 1024) -> int:
    """What :func:`full_training_parts` come to."""
    return sum(full_training_parts(folder, batch_tokens).values())
