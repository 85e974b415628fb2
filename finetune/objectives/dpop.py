"""DPO-Positive (Pal et al. 2024, arXiv 2402.13228), which does not lower the likelihood of the correction as DPO does
on small edits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from finetune.methods import Tuned
from finetune.objectives.answers import Batch, Likelihoods
from finetune.objectives.mistakes import FromMistakes, Term, others

BETA = 0.3  # of the paper's section 5
LAMBDA = 50.0  # the weight of its penalty, same place


class Dpop(FromMistakes):
    """The paper's equation 3 beside the likelihood of the answers, without which a bot prefers the correction but does
    not say it (Pang et al. 2024, arXiv 2404.19733, add it to DPO alike). With the ratios r of a text's likelihood to
    its reference: -log sigmoid(beta (log r(right) - log r(wrong) - lambda max(0, -log r(right))))."""

    needs_reference = True

    def term(self, tuned: Tuned, batches: Sequence[Batch]) -> Term:
        """Batches share nothing."""

        def term(own: Likelihoods, batch: Batch) -> torch.Tensor:
            of = batch["other_of"]
            right = own.of_texts[of] - batch["reference"][of]
            wrong = others(tuned, batch).of_texts - batch["other_reference"][of]
            margin = right - wrong - LAMBDA * functional.relu(-right)
            return -functional.logsigmoid(BETA * margin).sum()

        return term
