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
    logits, targets, learned = _likely(tuned, batch)
    return functional.cross_entropy(logits, targets[learned], reduction="sum"), int(learned.sum())


def answers_right(tuned: Tuned, batch: Batch) -> torch.Tensor:
    """For each row of *batch*, which is padded, whether every token of its answer is the likeliest one: (rows,)."""
    logits, targets, learned = _likely(tuned, batch)
    right = torch.ones_like(learned)
    right[learned] = logits.argmax(-1) == targets[learned]
    return right.all(dim=1)


def _likely(tuned: Tuned, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(logits of the learned places, the targets of all places, which of them are learned)."""
    hidden = tuned.hidden(batch["input_ids"], batch.get("position_ids"), batch.get("lower"))
    targets = batch["labels"][:, 1:]
    learned = targets != IGNORED
    return tuned.base.get_output_embeddings()(hidden[:, :-1][learned]).float(), targets, learned


def learned_tokens(batches: Sequence[Batch]) -> int:
    """How many tokens of *batches* are learned."""
    return sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)
