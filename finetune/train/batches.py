"""Which rows make a step, and a step as the tensors that the model reads."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import Dataset, Sampler

from finetune.objectives.answers import IGNORED, Batch
from finetune.objectives.objective import Objective, Row
from finetune.recipe import Recipe
from finetune.train.lower import LowerLayers
from finetune.train.openings import Openings
from finetune.train.plan import Plan

Part = tuple[int, int]  # the place of a row, and how many of its tokens
MADE_SHARE = 0.4  # of the times that a question is learned: in a made phrasing, where it has some
BUCKET_BATCHES = 9  # batches sorted by length among themselves: little padding, still a random order


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows to a batch: padded on the right, so that under a causal mask no real token ever sees a pad; or, *packed*,
    one after another in a single row, told apart by positions that begin anew with each. *objective*: adds what
    it needs beside (it never does to packed rows)."""

    pad: int
    packed: bool = False
    objective: Objective | None = None

    def __call__(self, rows: Sequence[Row]) -> Batch:
        """``input_ids`` and ``labels``, both (rows, longest); packed, ``position_ids`` too, each (1, their sum). Where
        the rows have it, ``lower``, with the width of the base as one more dimension."""
        if self.packed:
            return _packed(rows)
        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), self.pad)
        labels = torch.full((len(rows), width), IGNORED)
        for place, row in enumerate(rows):
            tokens = torch.tensor(row["input_ids"])
            ids[place, : len(tokens)] = tokens
            labels[place, row["answer_start"] : len(tokens)] = tokens[row["answer_start"] :]
        beside = {} if self.objective is None else self.objective.beside(rows, self.pad)
        return {"input_ids": ids, "labels": labels, **_lower(rows, width), **beside}

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
        **({"lower": torch.cat([row["lower"] for row in rows]).unsqueeze(0)} if "lower" in rows[0] else {}),
    }


def _lower(rows: Sequence[Row], width: int) -> Batch:
    """What the lower layers made of *rows*, padded with zeros to *width* tokens; empty if that is not kept."""
    if "lower" not in rows[0]:
        return {}
    states = torch.zeros(len(rows), width, rows[0]["lower"].shape[1], dtype=rows[0]["lower"].dtype)
    for place, row in enumerate(rows):
        states[place, : len(row["input_ids"])] = row["lower"]
    return {"lower": states}


class Order:
    """The rows of each epoch and their order: at random, but neighbours are of similar length (or, where the recipe has
    no bucketing, any). The same for the same seed and epoch, so that a resumed training goes on with the steps it would
    have had.

    A step's rows are the same in however many parts it is computed. Of the rows the parent knows (see :class:`Sorted`)
    an epoch has the recipe's ``rehearsal`` share, and replayed ones are a ``replay`` share of it, others each time.
    With ``grow``, in the epoch that many before the last of them half of the rows are drawn, in the one before it a
    quarter, and so on, each as often as an epoch's length needs."""

    def __init__(self, openings: Openings, recipe: Recipe, rows: Sorted) -> None:
        self._openings, self._size = openings, recipe.batch_size * recipe.gradient_accumulation
        self._seed, self._sort, self._grow = recipe.seed, recipe.bucketing, recipe.grow
        self._made = rows.made
        # where all is known, nothing is rehearsed beside it
        self._new = rows.new or rows.known
        rehearsed = math.ceil(recipe.rehearsal * len(rows.known)) if rows.new else 0
        self._known = _Turns(rows.known, rehearsed, f"{self._seed}/known")
        replayed = math.ceil(recipe.replay * (len(self._new) + rehearsed))
        self._replayed = _Turns(rows.replayed, min(replayed, len(rows.replayed)), f"{self._seed}/replayed")

    @property
    def rows_per_epoch(self) -> int:
        """How many rows an epoch has."""
        return len(self._new) + self._known.count + self._replayed.count

    def of_epoch(self, epoch: int) -> list[Part]:
        """The rows as they come, and how many tokens of each."""
        chance = random.Random(f"{self._seed}/{epoch}")
        places = [self._phrased(place, epoch, chance) for place in self._drawn(epoch, chance)]
        drawn = [(place, self._openings.length(place, epoch)) for place in places]
        if not self._sort:
            return drawn
        size = BUCKET_BATCHES * self._size
        steps: list[list[Part]] = []
        for begin in range(0, len(drawn), size):
            bucket = sorted(drawn[begin : begin + size], key=lambda part: part[1])
            steps += [bucket[place : place + self._size] for place in range(0, len(bucket), self._size)]
        short = [step for step in steps if len(step) < self._size]
        whole = [step for step in steps if len(step) == self._size]
        chance.shuffle(whole)
        # an incomplete step anywhere but at the end would shift all that follow
        return [part for step in whole + short for part in step]

    def _phrased(self, place: int, epoch: int, chance: random.Random) -> int:
        """The row at *place*, or, now and then, another phrasing of it; the first epoch has the desk's own."""
        made = self._made.get(place)
        if not made or not epoch or chance.random() >= MADE_SHARE:
            return place
        return chance.choice(made)

    def _drawn(self, epoch: int, chance: random.Random) -> list[int]:
        places = [*self._new, *self._known.of(epoch), *self._replayed.of(epoch)]
        halvings = max(0, self._grow - epoch)
        if not halvings:
            return chance.sample(places, len(places))
        few = random.Random(f"{self._seed}/grow").sample(places, max(1, len(places) >> halvings))
        order: list[int] = []
        while len(order) < len(places):
            order += chance.sample(few, len(few))
        return order[: len(places)]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The places of rows by what they are, each as often as its weight says: ``new``; ``known`` to the version that
    training goes on from; ``replayed``, no pairs of the desk (:mod:`finetune.replay`). ``made``: the places of other
    phrasings, by that of the row they are phrasings of."""

    new: Sequence[int] = ()
    known: Sequence[int] = ()
    replayed: Sequence[int] = ()
    made: Mapping[int, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Sorted:
        """Those of *rows*."""
        new, known, replayed = list[int](), list[int](), list[int]()
        made: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            if (original := row.get("original", place)) != place:
                made.setdefault(original, []).append(place)
                continue
            kind = replayed if row.get("replayed") else known if row.get("known") else new
            kind += [place] * row.get("weight", 1)
        return cls(tuple(new), tuple(known), tuple(replayed), made)

    def phrasings(self, rows: Any) -> float:
        """How often an epoch has each answer that is new."""
        places = self.new or self.known
        answers = {tuple(row["input_ids"][row["answer_start"] :]) for row in (rows[place] for place in set(places))}
        return len(places) / max(1, len(answers))


class _Turns:
    """*count* of *places* at a time, in turns, so that none is left out for long; *seed* shuffles them."""

    def __init__(self, places: Sequence[int], count: int, seed: str) -> None:
        self._places, self.count = random.Random(seed).sample(places, len(places)), count

    def of(self, epoch: int) -> list[int]:
        """Those of *epoch*."""
        begin = epoch * self.count
        return [self._places[(begin + number) % len(self._places)] for number in range(self.count)]


class PassRows(Dataset[Row]):
    """The rows of a training as a pass learns them: so many tokens of each, and with what *lower*, if there is one, has
    kept of it."""

    def __init__(self, rows: Any, lower: LowerLayers | None = None) -> None:
        self._rows, self._lower = rows, lower

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: Part) -> Row:
        place, tokens = part
        row: Row = dict(self._rows[place])  # type: ignore[assignment]
        if self._lower is not None:
            row["lower"] = self._lower.of(place, row["input_ids"])[:tokens]
        row["input_ids"] = row["input_ids"][:tokens]
        return row


class StepSampler(Sampler[list[Part]]):
    """The rows of every step after the first *done* ones, epoch after epoch: where a training stands in its data is
    the number of its step, and nothing else."""

    def __init__(self, order: Order, plan: Plan, done: int) -> None:
        self._order, self._plan, self._done = order, plan, done

    def __len__(self) -> int:
        return self._plan.steps - self._done

    def __iter__(self) -> Iterator[list[Part]]:
        epoch, order = -1, list[Part]()
        for step in range(self._done, self._plan.steps):
            here, place = divmod(step, self._plan.steps_per_epoch)
            if here != epoch:
                epoch, order = here, self._order.of_epoch(here)
            yield order[place * self._plan.rows_per_step : (place + 1) * self._plan.rows_per_step]
