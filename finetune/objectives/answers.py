"""Batches as the model reads them, and how likely it finds the answers in them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from finetune.methods import Tuned

IGNORED = -100  # the label of a place that is not learned, by torch's convention

Batch = dict[str, torch.Tensor]


def answer_loss(tuned: Tuned, batch: Batch) -> tuple[torch.Tensor, int]:
    """(sum of the cross-entropy of the answers' tokens, how many those are). The head, a fifth of a small model's work,
    is applied to the places that are learned alone."""
    hidden = tuned.hidden(batch["input_ids"], batch.get("position_ids"))
    targets = batch["labels"][:, 1:]
    learned = targets != IGNORED
    logits = tuned.base.get_output_embeddings()(hidden[:, :-1][learned]).float()
    return functional.cross_entropy(logits, targets[learned], reduction="sum"), int(learned.sum())


def learned_tokens(batches: Sequence[Batch]) -> int:
    """How many tokens of *batches* are learned."""
    return sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
