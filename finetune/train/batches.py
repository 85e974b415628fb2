"""Which rows make a step, and a step as the tensors that the model reads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import Sampler

from finetune.objectives.answers import IGNORED, Batch
from finetune.recipe import Recipe
from finetune.train.plan import Plan
from finetune.train.rows import Row

BUCKET_BATCHES = 9  # batches sorted by length among themselves: little padding, still a random order


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows to a batch: padded on the right, so that under a causal mask no real token ever sees a pad; or, *packed*,
    one after another in a single row, told apart by positions that begin anew with each."""

    pad: int
    packed: bool = False

    def __call__(self, rows: Sequence[Row]) -> Batch:
        """``input_ids`` and ``labels``, both (rows, longest); packed, ``position_ids`` too, each (1, their sum)."""
        if self.packed:
            return _packed(rows)
        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), self.pad)
        labels = torch.full((len(rows), width), IGNORED)
        for place, row in enumerate(rows):
            tokens = torch.tensor(row["input_ids"])
            ids[place, : len(tokens)] = tokens
            labels[place, row["answer_start"] : len(tokens)] = tokens[row["answer_start"] :]
        return {"input_ids": ids, "labels": labels}

    def parts(self, rows: Sequence[Row], size: int) -> list[Batch]:
        """*rows* as batches of at most *size*."""
        return [self(rows[begin : begin + size]) for begin in range(0, len(rows), size)]


def _packed(rows: Sequence[Row]) -> Batch:
    ids = [token for row in rows for token in row["input_ids"]]
    places = [place for row in rows for place in range(len(row["input_ids"]))]
    labels = [
        token if place >= row["answer_start"] else IGNORED
        for row in rows
        for place, token in enumerate(row["input_ids"])
    ]
    return {
        "input_ids": torch.tensor([ids]),
        "labels": torch.tensor([labels]),
        "position_ids": torch.tensor([places]),
    }


class Order:
    """The order of the rows in each epoch: at random, but neighbours are of similar length (or, without *sort*, any).
    The same for the same seed and epoch, so that a resumed training goes on with the steps it would have had.

    *size*: rows of a whole step, so that a step's rows are the same in however many parts it is computed. *grow*: in
    the epoch that many before the last of them half of the rows are drawn, in the one before it a quarter, and so on,
    each as often as an epoch's length needs."""

    def __init__(self, lengths: Sequence[int], recipe: Recipe) -> None:
        self._lengths, self._size = lengths, recipe.batch_size * recipe.gradient_accumulation
        self._seed, self._sort, self._grow = recipe.seed, recipe.bucketing, recipe.grow

    def of_epoch(self, epoch: int) -> list[int]:
        """The indices of the rows, as they come."""
        chance = random.Random(f"{self._seed}/{epoch}")
        drawn = self._drawn(epoch, chance)
        if not self._sort:
            return drawn
        size = BUCKET_BATCHES * self._size
        steps: list[list[int]] = []
        for begin in range(0, len(drawn), size):
            bucket = sorted(drawn[begin : begin + size], key=lambda index: self._lengths[index])
            steps += [bucket[place : place + self._size] for place in range(0, len(bucket), self._size)]
        short = [step for step in steps if len(step) < self._size]
        whole = [step for step in steps if len(step) == self._size]
        chance.shuffle(whole)
        # an incomplete step anywhere but at the end would shift all that follow
        return [index for step in whole + short for index in step]

    def _drawn(self, epoch: int, chance: random.Random) -> list[int]:
        rows = len(self._lengths)
        halvings = max(0, self._grow - epoch)
        if not halvings:
            return chance.sample(range(rows), rows)
        first = random.Random(f"{self._seed}/grow").sample(range(rows), max(1, rows >> halvings))
        order: list[int] = []
        while len(order) < rows:
            order += chance.sample(first, len(first))
        return order[:rows]


class StepSampler(Sampler[list[int]]):
    """The rows of every step after the first *done* ones, epoch after epoch: where a training stands in its data is
    the number of its step, and nothing else."""

    def __init__(self, order: Order, plan: Plan, done: int) -> None:
        self._order, self._plan, self._done = order, plan, done

    def __len__(self) -> int:
        return self._plan.steps - self._done

    def __iter__(self) -> Iterator[list[int]]:
        epoch, order = -1, list[int]()
        for step in range(self._done, self._plan.steps):
            here, place = divmod(step, self._plan.steps_per_epoch)
            if here != epoch:
                epoch, order = here, self._order.of_epoch(here)
            yield order[place * self._plan.rows_per_step : (place + 1) * self._plan.rows_per_step]
