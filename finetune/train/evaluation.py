"""How a run does on pairs it does not learn from: their loss, and BLEU of what it would answer. Neither leaves a trace
in what is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch.nn import functional
from transformers import DynamicCache

from bot.engines.torch.generate import Generator
from bot.types import FAITHFUL, Answer, Prompt
from finetune.gate import GateMargins, score_by_language, total
from finetune.methods import Tuned
from finetune.train.dataset import IGNORED
from store.records import Pair
from store.text import clean

EXAMPLES = 32  # at most; reading them once takes about as long as learning from ten
TIMES = 4  # at most in a run, at the ends of epochs
ANSWER_TOKENS = 192  # of an answer at most: a model that has not learned to stop yet would write on for long

Item = TypeVar("Item")


def answer_loss(tuned: Tuned, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, int, torch.Tensor]:
    """(sum of the cross-entropy of the answers' tokens, how many those are, their logits). The head, a fifth of a small
    model's work, is applied to the places that are learned alone."""
    hidden = tuned.hidden(inputs["input_ids"], inputs.get("position_ids"))
    targets = inputs["labels"][:, 1:]
    learned = targets != IGNORED
    logits = tuned.base.get_output_embeddings()(hidden[:, :-1][learned]).float()
    return functional.cross_entropy(logits, targets[learned], reduction="sum"), int(learned.sum()), logits


def spread(items: Sequence[Item], count: int = EXAMPLES) -> list[Item]:
    """At most *count* of *items*, evenly spread over them, the same at every call."""
    return [items[place * len(items) // count] for place in range(count)] if len(items) > count else list(items)


def is_due(epoch: int, epochs: float) -> bool:
    """Whether the end of *epoch* (from 1) of *epochs* is one to measure at; the last one always is."""
    return epoch >= epochs or epoch % max(1, math.ceil(epochs / TIMES)) == 0


@dataclass(frozen=True, slots=True)
class Watched:
    """What a run is watched by: ``rows`` as the trainer reads them, and the ``pairs`` whose questions it answers.
    ``kind``: "held-out", which decide nothing in a run, or "validation"."""

    rows: Sequence[dict[str, Any]] = ()
    pairs: Sequence[Pair] = ()
    system: str = ""
    kind: str = "held-out"


@dataclass(frozen=True, slots=True)
class _InTraining:
    """A model in training as the generator takes it; see :class:`bot.engines.torch.generate.Answering`."""

    base: Any
    tokenizer: Any
    new_cache: Callable[..., tuple[DynamicCache, int]]


@contextmanager
def at_rest(tuned: Tuned) -> Iterator[None]:
    """No dropout and nothing computed twice, for a while."""
    trained = tuned.base.training
    tuned.model.eval()
    tuned.base.eval()
    try:
        yield
    finally:
        tuned.base.train(trained)
        tuned.model.train()


def answers_bleu(tuned: Tuned, tokenizer: Any, pairs: Sequence[Pair], system: str) -> float:
    """BLEU, 0 to 100, of what *tuned* answers to the questions of *pairs*, greedily; over several languages their mean,
    weighted by pairs."""
    answers: dict[int, str] = {}

    def keep(place: int, answer: Answer) -> None:
        answers[place] = clean(answer.text)

    generator = Generator(_InTraining(tuned.base, tokenizer, tuned.new_cache))
    prompts = [Prompt(system, pair.history, pair.instruction) for pair in pairs]
    limits = [GateMargins().limit(tokens) or ANSWER_TOKENS for tokens in generator.lengths([p.output for p in pairs])]
    with at_rest(tuned):
        generator.batch(prompts, replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS), keep, limits)
    scores = score_by_language((pair.lang, clean(pair.output), answers[place]) for place, pair in enumerate(pairs))
    return total(list(scores.values()), "bleu") or 0.0


def heldout_loss(tuned: Tuned, batches: Sequence[dict[str, torch.Tensor]]) -> float:
    """Mean cross-entropy of the answers' tokens in *batches*. Neither weights, nor gradients, nor the random numbers to
    come are touched."""
    total, count = 0.0, 0
    with at_rest(tuned), torch.no_grad():
        for batch in batches:
            loss, tokens, _ = answer_loss(tuned, batch)
            total, count = total + float(loss), count + tokens
    return total / max(1, count)
