"""The loss on pairs the run does not learn from, a few times in a run, without leaving a trace in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch.nn import functional

from finetune.dataset import IGNORED
from finetune.methods import Tuned

EXAMPLES = 32  # at most; reading them once takes about as long as learning from ten
TIMES = 4  # at most in a run, at the ends of epochs

Item = TypeVar("Item")


def answer_loss(tuned: Tuned, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int, torch.Tensor]:
    """(sum of the cross-entropy of the answers' tokens, how many those are, their logits). The head, a fifth of a small
    model's work, is applied to the places that are learned alone."""
    hidden = tuned.hidden(inputs["input_ids"])
    targets = inputs["labels"][:, 1:]
    learned = targets != IGNORED
    logits = tuned.base.get_output_embeddings()(hidden[:, :-1][learned]).float()
    return functional.cross_entropy(logits, targets[learned], reduction="sum"), int(learned.sum()), logits


def spread(items: Sequence[Item], count: int = EXAMPLES) -> list[Item]:
    """At most *count* of *items*, evenly spread over them, the same at every call."""
    return [items[place * len(items) // count] for place in range(count)] if len(items) > count else list(items)


def is_due(epoch: int, epochs: float) -> bool:
    """Whether the end of *epoch* (from 1) of *epochs* is one to measure at; the last one always is."""
    return epoch >= epochs or epoch % max(1, math.ceil(epochs / TIMES)) == 0


def heldout_loss(tuned: Tuned, batches: Sequence[dict[str, torch.Tensor]]) -> float:
    """Mean cross-entropy of the answers' tokens in *batches*. Neither weights, nor gradients, nor the random numbers to
    come are touched."""
    tuned.model.eval()
    total, count = 0.0, 0
    try:
        with torch.no_grad():
            for batch in batches:
                loss, tokens, _ = answer_loss(tuned, batch)
                total, count = total + float(loss), count + tokens
    finally:
        tuned.model.train()
    return total / max(1, count)
