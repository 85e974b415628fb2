"""What objectives have in common that learn from replies that were wrong.

A row then has a second text beside its own: after the same question, the reply that was wrong (for kto, another
question's answer). Such rows may stand in a batch with rows that have none.

    good            whether its own text is to be said
    other_ids       the second text as token ids, question and all; empty: there is none
    other_places    which of those tokens count
    reference       the logarithm of the probability of its own answer before anything was learned
    other_reference the same of the second text
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import torch

from finetune.job import JobPair
from finetune.methods import Tuned
from finetune.objectives.answers import IGNORED, Batch, Likelihoods, likelihoods
from finetune.objectives.objective import Answer, Objective, Part, Row

Term = Callable[[Likelihoods, Batch], torch.Tensor]


class FromMistakes(Objective):
    """An objective that learns the right answers as sft does and, of every row whose wrong reply is known, has a term
    of its own, ``weight`` times. Its unit: the answers' terms are summed over a step and divided by the step's learned
    tokens, its own by the step's rows."""

    columns = ("good", "other_ids", "other_places")

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def rows(self, pair: JobPair, row: Row, before: str, answer: Answer) -> list[Row]:
        """A pair's row, with the reply that was wrong as the second text."""
        start = row["answer_start"]
        question, right = row["input_ids"][:start], row["input_ids"][start:]
        wrong = answer(pair.wrong, start) if pair.wrong else []
        places = [start + place for place in self.places(right, wrong)]
        return [with_other(row, [*question, *wrong] if places else [], places)]

    def places(self, right: Sequence[int], wrong: Sequence[int]) -> list[int]:
        """Which tokens of a *wrong* reply count, where *right* would have been the answer."""
        return list(range(len(wrong)))

    def beside(self, rows: Sequence[Row], pad: int) -> Batch:
        """``good`` (rows,); ``other_of``: the rows that have a second text, (others,); of those ``other_ids`` and
        ``other_labels``, (others, longest); and ``reference``, ``other_reference`` (rows,) where they are known."""
        others = [place for place, row in enumerate(rows) if row["other_ids"]]
        width = max((len(rows[place]["other_ids"]) for place in others), default=1)
        ids, labels = torch.full((len(others), width), pad), torch.full((len(others), width), IGNORED)
        for place, other in enumerate(others):
            tokens = torch.tensor(rows[other]["other_ids"])
            ids[place, : len(tokens)] = tokens
            counts = torch.tensor(rows[other]["other_places"])
            labels[place, counts] = tokens[counts]
        made = {"good": torch.tensor([row["good"] for row in rows]), "other_of": torch.tensor(others, dtype=torch.long)}
        made |= {"other_ids": ids, "other_labels": labels}
        if all("reference" in row for row in rows):  # before it is known, it is what is to be found out
            made["reference"] = torch.tensor([row["reference"] for row in rows])
            made["other_reference"] = torch.tensor([row["other_reference"] for row in rows])
        return made

    def step(self, tuned: Tuned, batches: Sequence[Batch]) -> Part:
        """The likelihood of what is to be said, and this objective's own term."""
        tokens = sum(int((batch["labels"][batch["good"]][:, 1:] != IGNORED).sum()) for batch in batches)
        rows = sum(len(batch["input_ids"]) for batch in batches)
        term = self.term(tuned, batches)

        def part(batch: Batch) -> torch.Tensor:
            own = likelihoods(tuned, batch["input_ids"], batch["labels"], batch.get("lower"))
            said = own.tokens[batch["good"][own.texts]].sum()
            return self.weight * term(own, batch) / rows - said / max(1, tokens)

        return part

    @abstractmethod
    def term(self, tuned: Tuned, batches: Sequence[Batch]) -> Term:
        """Its own term of each batch of the step that *batches* make up: how likely the batch's own texts are, and the
        batch, to a sum over its rows."""


def others(tuned: Tuned, batch: Batch) -> Likelihoods:
    """How likely *tuned* finds the second texts of *batch*."""
    ids = batch["other_ids"]
    if len(ids):
        return likelihoods(tuned, ids, batch["other_labels"])
    return Likelihoods(torch.zeros(0, device=ids.device), torch.zeros(0, dtype=torch.long, device=ids.device), 0)


def with_other(row: Row, ids: list[int], places: list[int], *, good: bool = True) -> Row:
    """*row* with the second text *ids*, of which *places* count; *good*: its own text is to be said."""
    return {**row, "good": good, "other_ids": ids, "other_places": places}
