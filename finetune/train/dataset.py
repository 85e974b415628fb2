"""Pairs as what the trainer eats: token ids, and where the model is to learn."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Sampler

from bot.render import render_pair
from bot.types import Prompt
from store.records import Pair

if TYPE_CHECKING:
    from datasets import Dataset

IGNORED = -100  # the label of a place that is not learned, by torch's convention
BUCKET_BATCHES = 9  # batches sorted by length among themselves: little padding, still a random order


@dataclass(frozen=True, slots=True)
class Cuts:
    """What did not fit: pairs that lost exchanges of their history, pairs that lost the end of their output, and
    pairs that are left out because nothing would remain to learn."""

    history: int
    output: int
    dropped: int


def build_dataset(
    tokenizer: Any, train: Sequence[tuple[Pair, int]], system: str, max_length: int
) -> tuple[Dataset, Cuts]:
    """A dataset with ``input_ids``, ``answer_start`` and ``length``, each pair as often as its weight says."""
    from datasets import Dataset

    rows: list[dict[str, Any]] = []
    cut_history = cut_output = dropped = 0
    for pair, weight in train:
        ids, start, lost = _fit(tokenizer, pair, system, max_length)
        cut_history += lost > 0
        cut = len(ids) > max_length
        if cut:
            # Learned as far as it fits, but without an end of turn: the answer does not end there, and a bot that
            # learned that it does would stop in mid-sentence. To leave the pair out would unlearn the rest, too.
            ids = ids[:max_length]
            cut_output += 1
        if start >= len(ids) - (not cut):
            dropped += 1
            continue
        rows += [{"input_ids": ids, "answer_start": start, "length": len(ids)}] * weight
    columns: dict[str, list[Any]] = {key: [row[key] for row in rows] for key in ("input_ids", "answer_start", "length")}
    return Dataset.from_dict(columns), Cuts(cut_history, cut_output, dropped)


def _fit(tokenizer: Any, pair: Pair, system: str, max_length: int) -> tuple[list[int], int, int]:
    """(ids, first learned place, exchanges left out), the oldest exchanges going first."""
    for lost in range(len(pair.history) + 1):
        ids, mask = render_pair(tokenizer, Prompt(system, pair.history[lost:], pair.instruction), pair.output)
        if len(ids) <= max_length:
            break
    return ids, mask.index(1), lost


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows to a batch: padded on the right, so that under a causal mask no real token ever sees a pad; or, *packed*,
    one after another in a single row, told apart by positions that begin anew with each."""

    pad: int
    packed: bool = False

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
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


def _packed(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
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


class LengthBuckets(Sampler[int]):
    """A random order in which neighbours are of similar length (or, without *sort*, any). The same for the same seed
    and epoch, so that a resumed run goes on with the batches it would have had.

    *batch_size*: rows of a whole step, so that a step's rows are the same in however many parts it is computed.
    *grow*: in the epoch that many before the last of them half of the rows are drawn, in the one before it a quarter,
    and so on, each as often as an epoch's length needs."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, *, sort: bool = True, grow: int = 0) -> None:
        self._lengths, self._batch, self._seed, self._epoch, self._sort = lengths, batch_size, seed, 0, sort
        self._grow = grow

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed}/{self._epoch}")
        order = self._order(chance)
        if not self._sort:
            yield from order
            return
        size = BUCKET_BATCHES * self._batch
        batches: list[list[int]] = []
        for begin in range(0, len(order), size):
            bucket = sorted(order[begin : begin + size], key=lambda index: self._lengths[index])
            batches += [bucket[place : place + self._batch] for place in range(0, len(bucket), self._batch)]
        short = [batch for batch in batches if len(batch) < self._batch]
        whole = [batch for batch in batches if len(batch) == self._batch]
        chance.shuffle(whole)
        for batch in whole + short:  # an incomplete batch anywhere but at the end would shift all that follow
            yield from batch

    def _order(self, chance: random.Random) -> list[int]:
        rows = len(self._lengths)
        halvings = max(0, self._grow - self._epoch)
        if not halvings:
            return chance.sample(range(rows), rows)
        first = random.Random(f"{self._seed}/grow").sample(range(rows), max(1, rows >> halvings))
        order: list[int] = []
        while len(order) < rows:
            order += chance.sample(first, len(first))
        return order[:rows]
