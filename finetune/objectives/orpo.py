"""Odds ratio preference optimization (Hong et al. 2024, arXiv 2403.07691): no reference model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from finetune.methods import Tuned
from finetune.objectives.answers import Batch, Likelihoods
from finetune.objectives.mistakes import FromMistakes, Term, others

LAMBDA = 0.1  # the weight of the odds ratio, that of the paper's Mistral-ORPO-beta and of TRL
CERTAIN = -1e-4  # a mean logarithm above it is taken for it: the odds of what is certain are infinite


class Orpo(FromMistakes):
    """The paper's equation 6: likelihood of the correction plus lambda times -log sigmoid of the logarithm of the ratio
    of its odds to those of the wrong reply, both by the mean over their tokens."""

    def term(self, tuned: Tuned, batches: Sequence[Batch]) -> Term:
        """Batches share nothing."""

        def term(own: Likelihoods, batch: Batch) -> torch.Tensor:
            right, wrong = own.per_token[batch["other_of"]], others(tuned, batch).per_token
            return LAMBDA * -functional.logsigmoid(_log_odds(right) - _log_odds(wrong)).sum()

        return term


def _log_odds(mean: torch.Tensor) -> torch.Tensor:
    """The logarithm of p / (1 - p) for the probability whose logarithm is *mean*."""
    mean = mean.clamp(max=CERTAIN)
    return mean - torch.log(-torch.expm1(mean))
