"""What a training minimises, as the training loop sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch

from finetune.methods import Tuned
from finetune.objectives.answers import Batch

Part = Callable[[Batch], torch.Tensor]


class Objective(ABC):
    """What a training minimises. A step is computed in one or more batches, and however many they are, it must be the
    same step: what its batches share is settled before the first of them is learned."""

    @abstractmethod
    def step(self, tuned: Tuned, batches: Sequence[Batch]) -> Part:
        """What is minimised in a step that *batches* make up: for each of them its part of the step's loss, in nats a
        learned token; the parts add up to that loss."""
