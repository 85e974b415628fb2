"""Which pairs pull a version towards a wrong answer: the likeness of gradients.

TracIn (Pruthi et al. 2020, arXiv 2002.08484): a training example has taught a prediction as far as the gradients of
their losses point the same way, summed over checkpoints. A desk keeps one set of weights of a version, the published
ones, so it is their gradients that are compared, by the cosine: the gradient of a pair that is learned well is short,
and its direction still tells what it is about. As in the paper's own experiments a few layers suffice; here the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import torch

from finetune.methods import Tuned
from finetune.methods.method import at_rest
from finetune.objectives.answers import answer_loss
from finetune.objectives.objective import Row
from finetune.train.batches import Collator

LAST = 0.15  # of all layers, from the last one down, but one at least: 4 of the starter's 30
_NUMBER = re.compile(r"\.(\d+)\.")


def keep_last_layers(tuned: Tuned) -> list[torch.nn.Parameter]:
    """Let only the trainable weights of the last layers have a gradient, and return them. Weights that belong to no
    layer (virtual tokens) stay all, unless others do belong to one."""
    trainable = [(name, value) for name, value in tuned.model.named_parameters() if value.requires_grad]
    layers = {name: int(found[1]) for name, _ in trainable if (found := _NUMBER.search(name))}
    count = 1 + max(layers.values(), default=0)
    first = count - max(1, round(LAST * count))
    kept = []
    for name, value in trainable:
        value.requires_grad_(not layers or layers.get(name, -1) >= first)
        kept += [value] if value.requires_grad else []
    return kept


def cosines(tuned: Tuned, wrong: Row, rows: Iterable[Row | None], done: Callable[[int], None]) -> list[float | None]:
    """How alike the gradients of *wrong* and of each of *rows* are, -1 to 1; None where there is no row. *done* is told
    after each how many there are."""
    weights = keep_last_layers(tuned)
    found: list[float | None] = []
    with at_rest(tuned):
        towards = _direction(tuned, weights, wrong)
        for number, row in enumerate(rows, start=1):
            found.append(None if row is None else float(towards @ _direction(tuned, weights, row)))
            done(number)
    return found


def _direction(tuned: Tuned, weights: Sequence[torch.nn.Parameter], row: Row) -> torch.Tensor:
    """The gradient of a row's loss, flat, of length 1 (or 0 where nothing is left to learn)."""
    loss, _ = answer_loss(tuned, Collator(pad=0)([row]))
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    flat = torch.cat([gradient.flatten().float() for gradient in gradients if gradient is not None])
    return torch.nn.functional.normalize(flat, dim=0)
