"""What a training minimises, as the training loop sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NotRequired, TypedDict

import torch

from finetune.job import JobPair
from finetune.methods import Tuned
from finetune.objectives.answers import Batch

Part = Callable[[Batch], torch.Tensor]
Answer = Callable[[str, int], list[int]]
"""(a reply of the bot, the tokens of its question) to the token ids of the reply, with the end of its turn; cut where
both together would be too long."""


class Row(TypedDict):
    """A rendered pair: the model learns the tokens from ``answer_start`` on.

    ``known``: the version that training goes on from has learned it; ``replayed``: it is no pair of the desk;
    ``weight``: how often an epoch has it; ``original``: the place of the row it is another phrasing of, or its own;
    ``lower``: see :mod:`finetune.train.lower`. What follows is there for objectives that learn from wrong replies, in
    all their rows; :mod:`finetune.objectives.mistakes` says what it means."""

    input_ids: list[int]
    answer_start: int
    length: int
    known: NotRequired[bool]
    replayed: NotRequired[bool]
    weight: NotRequired[int]
    original: NotRequired[int]
    lower: NotRequired[torch.Tensor]
    good: NotRequired[bool]
    other_ids: NotRequired[list[int]]
    other_places: NotRequired[list[int]]
    reference: NotRequired[float]
    other_reference: NotRequired[float]


class Objective(ABC):
    """What a training minimises. A step is computed in one or more batches, and however many they are, it must be the
    same step: what its batches share is settled before the first of them is learned."""

    columns: tuple[str, ...] = ()
    """What its rows have beside those of sft, of :class:`Row`."""

    needs_reference = False
    """Whether its rows must say how likely the model found them before it learned."""

    def rows(self, pair: JobPair, row: Row, before: str, answer: Answer) -> list[Row]:
        """The rows to learn of *pair*, whose rendered form is *row*: that, with what this objective needs, and others.
        *before*: what another question is answered, empty for the first pair."""
        return [row]

    def beside(self, rows: Sequence[Row], pad: int) -> Batch:
        """What a batch of *rows* holds beside ``input_ids`` and ``labels``."""
        return {}

    @abstractmethod
    def step(self, tuned: Tuned, batches: Sequence[Batch]) -> Part:
        """What is minimised in a step that *batches* make up: for each of them its part of the step's loss, in nats a
        learned token; the parts add up to that loss."""
