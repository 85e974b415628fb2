"""Learning from edits (SALT: Yao et al. 2023, arXiv 2310.05857): what the operator took out becomes less likely."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import torch

from finetune.methods import Tuned
from finetune.objectives.answers import Batch, Likelihoods
from finetune.objectives.mistakes import FromMistakes, Term, others

CERTAIN = 1e-4  # from a probability of 1 - CERTAIN on it is not told apart from 1, whose unlikelihood is infinite


class Edits(FromMistakes):
    """Likelihood on the correction, unlikelihood (Welleck et al. 2019, arXiv 1908.04319: -log(1 - p)) on the tokens of
    the wrong reply that the correction has not, aligned by their difference; the mean over those tokens. SALT's
    likelihood on what was kept is that on the correction, which has it, too."""

    def places(self, right: Sequence[int], wrong: Sequence[int]) -> list[int]:
        """The tokens that were taken out."""
        return removed(right, wrong)

    def term(self, tuned: Tuned, batches: Sequence[Batch]) -> Term:
        """Batches share nothing."""

        def term(own: Likelihoods, batch: Batch) -> torch.Tensor:
            wrong = others(tuned, batch)
            unlikely = -torch.log1p(-wrong.tokens.exp().clamp(max=1 - CERTAIN))
            return Likelihoods(unlikely, wrong.texts, wrong.count).per_token.sum()

        return term


def removed(right: Sequence[int], wrong: Sequence[int]) -> list[int]:
    """The places of *wrong* that have no counterpart in *right*."""
    kept = {
        block.a + offset
        for block in SequenceMatcher(None, wrong, right, autojunk=False).get_matching_blocks()
        for offset in range(block.size)
    }
    return [place for place in range(len(wrong)) if place not in kept]
