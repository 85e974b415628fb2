"""Kahneman-Tversky optimization (Ethayarajh et al. 2024, arXiv 2402.01306): good replies and bad ones, no pairs."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from finetune.job import JobPair
from finetune.methods import Tuned
from finetune.methods.method import at_rest
from finetune.objectives.answers import Batch, Likelihoods
from finetune.objectives.mistakes import FromMistakes, Term, others, with_other
from finetune.objectives.objective import Answer, Row

BETA = 0.1  # of the paper's experiments; gain and loss weigh the same (its lambdas are 1)


class Kto(FromMistakes):
    """The paper's equation 8 beside the likelihood of the good replies (as in its own code's sft stage, in one go):
    1 - sigmoid(beta (log r - z)) for a good reply, 1 - sigmoid(beta (z - log r)) for a bad one, r the ratio of its
    likelihood to its reference. z is what the model has drifted: the mean of log r of answers to other questions, at
    least 0, over the whole step, without a gradient. The other question is the one before (for the first, the answer
    is empty)."""

    needs_reference = True

    def rows(self, pair: JobPair, row: Row, before: str, answer: Answer) -> list[Row]:
        """One row a good reply, and one a bad one: of a correction both. What is replayed is neither."""
        if pair.replayed:
            return [with_other(row, [], [])]
        start = row["answer_start"]
        question = row["input_ids"][:start]
        other = [*question, *answer(before, start)]
        places = list(range(start, len(other)))
        rows = [with_other(row, other, places, good=pair.good)]
        if pair.wrong:
            ids = [*question, *answer(pair.wrong, start)]
            rows.append(with_other({**row, "input_ids": ids, "length": len(ids)}, other, places, good=False))
        return rows

    def term(self, tuned: Tuned, batches: Sequence[Batch]) -> Term:
        """Batches share z."""
        drift = _drift(tuned, batches)

        def term(own: Likelihoods, batch: Batch) -> torch.Tensor:
            of = batch["other_of"]
            gain = own.of_texts[of] - batch["reference"][of] - drift
            signed = torch.where(batch["good"][of], gain, -gain)
            return (1 - torch.sigmoid(BETA * signed)).sum()

        return term


def _drift(tuned: Tuned, batches: Sequence[Batch]) -> float:
    total, count = 0.0, 0
    with at_rest(tuned), torch.no_grad():
        for batch in batches:
            if len(of := batch["other_of"]):
                total += float((others(tuned, batch).of_texts - batch["other_reference"][of]).sum())
                count += len(of)
    return max(0.0, total / max(1, count))
