"""How a training does on pairs it does not learn from: their loss, and the BLEU of what it would answer. Neither leaves
a trace in what is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import DynamicCache

from bot.engines.torch.generate import Generator
from bot.types import FAITHFUL, Answer, Expected, Prompt
from finetune.events import WatchedKind
from finetune.gate.margins import GateMargins
from finetune.gate.report import total
from finetune.gate.scores import score_by_language
from finetune.job import JobPair
from finetune.methods import Tuned
from finetune.methods.method import at_rest
from finetune.objectives.answers import Batch, answer_loss, answers_right
from finetune.objectives.objective import Row
from store.text import clean

ANSWER_TOKENS = 192  # of an answer at most: a model that has not learned to stop yet would write on for long


@dataclass(frozen=True, slots=True)
class Watched:
    """What a training is validated on: ``rows`` as the model reads them, and the ``pairs`` whose questions it answers
    for BLEU. ``kind``: "held-out", which decide nothing in a training, or "validation"."""

    rows: Sequence[Row] = ()
    pairs: Sequence[JobPair] = ()
    system: str = ""
    kind: WatchedKind = "held-out"


@dataclass(frozen=True, slots=True)
class _InTraining:
    """A model in training as the generator takes it; see :class:`bot.engines.torch.generate.Answering`."""

    base: Any
    tokenizer: Any
    new_cache: Callable[..., tuple[DynamicCache, int]]


def answers_bleu(tuned: Tuned, tokenizer: Any, pairs: Sequence[JobPair], system: str) -> float:
    """BLEU, 0 to 100, of what *tuned* answers to the questions of *pairs*, greedily; over several languages their mean,
    weighted by pairs."""
    answers: dict[int, str] = {}

    def keep(place: int, answer: Answer) -> None:
        answers[place] = clean(answer.text)

    generator = Generator(_InTraining(tuned.base, tokenizer, tuned.new_cache))
    prompts = [Prompt(system, pair.history, pair.instruction) for pair in pairs]
    drafts = tuple(pair.output for pair in pairs)
    limits = tuple(GateMargins().limit(tokens) or ANSWER_TOKENS for tokens in generator.lengths(drafts))
    with at_rest(tuned):
        generator.batch(prompts, replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS), keep, Expected(limits, drafts))
    scores = score_by_language((pair.lang, clean(pair.output), answers[place]) for place, pair in enumerate(pairs))
    return total(list(scores.values()), "bleu") or 0.0


def heldout_loss(tuned: Tuned, batches: Sequence[Batch]) -> float:
    """Mean cross-entropy of the answers' tokens in *batches*. Neither weights, nor gradients, nor the random numbers to
    come are touched."""
    total, count = 0.0, 0
    with at_rest(tuned), torch.no_grad():
        for batch in batches:
            loss, tokens = answer_loss(tuned, batch)
            total, count = total + float(loss), count + tokens
    return total / max(1, count)


def taught_rows(tuned: Tuned, batches: Sequence[Batch]) -> int:
    """How many of the answers in *batches* the model would give word for word: at each place what it finds likeliest,
    after what is right so far, is what is taught. No trace is left, as in :func:`heldout_loss`."""
    known = 0
    with at_rest(tuned), torch.no_grad():
        for batch in batches:
            known += int(answers_right(tuned, batch).sum())
    return known
