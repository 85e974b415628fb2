"""Batches as the model reads them, and how likely it finds the answers in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """How likely the model finds texts. ``tokens``: the natural logarithm of the probability of each token that counts,
    (tokens,); ``texts``: which of ``count`` texts it is of, (tokens,)."""

    tokens: torch.Tensor
    texts: torch.Tensor
    count: int

    @property
    def of_texts(self) -> torch.Tensor:
        """That of each text, (texts,): the sum over its tokens."""
        return self.tokens.new_zeros(self.count).index_add(0, self.texts, self.tokens)

    @property
    def per_token(self) -> torch.Tensor:
        """The mean over the tokens of each text, (texts,)."""
        lengths = torch.bincount(self.texts, minlength=self.count)
        return self.of_texts / lengths.clamp(min=1)


def likelihoods(
    tuned: Tuned, ids: torch.Tensor, labels: torch.Tensor, lower: torch.Tensor | None = None, *, bare: bool = False
) -> Likelihoods:
    """How likely *tuned* finds the tokens that *labels* name in *ids*, both (texts, longest), of which *lower* may be
    known; *bare*: its base does (see :meth:`finetune.methods.Tuned.bare`)."""
    hidden = tuned.bare(ids) if bare else tuned.hidden(ids, lower=lower)
    targets = labels[:, 1:]
    counts = targets != IGNORED
    logits = tuned.base.get_output_embeddings()(hidden[:, :-1][counts]).float()
    tokens = -functional.cross_entropy(logits, targets[counts], reduction="none")
    return Likelihoods(tokens, counts.nonzero()[:, 0], len(ids))
