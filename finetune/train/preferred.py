"""What an objective that learns from mistakes comes to: whether corrections are likelier than what they replaced."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from finetune.methods.method import at_rest
from finetune.objectives.answers import likelihoods
from finetune.objectives.objective import Row
from finetune.train.setup import Training


def preferred(training: Training) -> tuple[int, int] | None:
    """Of how many corrections of the material a token is likelier, in the mean, than of the replies they replaced, and
    how many corrections those are of; None if there are none. Leaves no trace in what is trained."""
    pairs = training.material.corrected
    if not pairs:
        return None
    right, wrong = (_per_token(training, rows) for rows in zip(*pairs, strict=True))
    return int((right > wrong).sum()), len(pairs)


def _per_token(training: Training, rows: Sequence[Row]) -> torch.Tensor:
    device = training.accelerator.device
    found = []
    with at_rest(training.tuned), torch.no_grad(), training.accelerator.autocast():
        for batch in training.collator.parts(rows, training.recipe.batch_size):
            ids, labels = batch["input_ids"].to(device), batch["labels"].to(device)
            found.append(likelihoods(training.tuned, ids, labels).per_token)
    return torch.cat(found)
