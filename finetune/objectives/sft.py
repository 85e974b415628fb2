"""Supervised fine-tuning: the likelihood of the answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from finetune.methods import Tuned
from finetune.objectives.answers import Batch, answer_loss, learned_tokens
from finetune.objectives.objective import Objective, Part


class Sft(Objective):
    """The mean cross-entropy of the answers' tokens: a token weighs the same in each batch of a step."""

    def step(self, tuned: Tuned, batches: Sequence[Batch]) -> Part:
        """Batches share nothing but the number of their tokens."""
        learned = learned_tokens(batches)

        def part(batch: Batch) -> torch.Tensor:
            return answer_loss(tuned, batch)[0] / learned

        return part


SFT = Sft()
