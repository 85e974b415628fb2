"""How fast training could be on this machine if it were nothing but matrix products: what its speed is held against.

A token costs 2 operations a weight forward and 2 more to carry the gradient back through it (Kaplan et al. 2020,
"Scaling Laws", section 2.1); 2 again for the gradient of the weight itself, where it is trained. The output head counts
only at the places that are learned.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from finetune.methods import Tuned

TRIALS = 5  # the fastest counts: the others shared the processor with something
ROWS = 512  # tokens of the batch that is timed


def ceiling(tuned: Tuned, learned_share: float) -> float:
    """Tokens a second at which *tuned* would train if only its matrix products took time; *learned_share*: of all
    tokens those that are learned, 0 to 1. Takes some tens of milliseconds."""
    body = sum(
        layer.in_features * layer.out_features * (6 if layer.weight.requires_grad else 4)
        for layer in tuned.base.base_model.modules()
        if isinstance(layer, torch.nn.Linear)
    )
    head = tuned.base.get_output_embeddings()
    operations = body + 4 * head.in_features * head.out_features * learned_share
    return float(_operations_a_second(head.weight) / operations)


def _operations_a_second(like: torch.Tensor) -> float:
    width = like.shape[1]
    left = torch.randn(ROWS, width, dtype=like.dtype, device=like.device)
    right = torch.randn(width, 4 * width, dtype=like.dtype, device=like.device)
    best = float("inf")
    for _ in range(TRIALS):
        begun = time.perf_counter()
        left @ right
        if like.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    return 2 * ROWS * width * 4 * width / best


def padding_share(lengths: Sequence[int], batch_size: int) -> float:
    """The share of a batch's places that hold no token, over the batches of *batch_size* rows of *lengths* in turn."""
    held = places = 0
    for begin in range(0, len(lengths), batch_size):
        batch = lengths[begin : begin + batch_size]
        held, places = held + sum(batch), places + max(batch) * len(batch)
    return 1 - held / places if places else 0.0


def learned_share(rows: Any) -> float:
    """Of all tokens in *rows* those that are learned."""
    tokens = sum(rows["length"])
    learned = sum(length - start for length, start in zip(rows["length"], rows["answer_start"], strict=True))
    return learned / tokens if tokens else 0.0
