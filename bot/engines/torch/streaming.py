"""Tokens as text while they come, and how sure the model was of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor
from transformers.generation.streamers import BaseStreamer

from bot import lines


class Certainty(LogitsProcessor):
    """How sure the model was of the tokens it chose: of each, the natural logarithm of the probability it had before
    temperature and top-p, so that the presets can be compared. Costs one pass over the vocabulary a token, for any
    number of rows at once."""

    def __init__(self) -> None:
        self._scores: torch.Tensor | None = None  # of the token that is about to be chosen, a row each
        self._chosen: list[list[float]] = []  # of each token so far, a number for every row

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Called by ``generate`` before a token is chosen; changes nothing."""
        self._chose(input_ids)
        self._scores = scores
        return scores

    def _chose(self, ids: torch.Tensor) -> None:
        """Take note of the last tokens of *ids*, which were chosen from the scores of the moment."""
        if self._scores is not None:
            scores = self._scores.float()
            chosen = scores.gather(1, ids[:, -1:].to(scores.device))[:, 0] - torch.logsumexp(scores, 1)
            self._chosen.append(chosen.tolist())
            self._scores = None

    def of(self, ids: torch.Tensor, row: int, tokens: int) -> list[float]:
        """Of the first *tokens* tokens of a *row* of *ids*, which ``generate`` returned."""
        self._chose(ids)
        return [step[row] for step in self._chosen[:tokens]]


def mean_and_least(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The mean and the least of the tokens' *values*. None without any, or if a token had no probability at all."""
    if not values or not all(map(math.isfinite, values)):
        return None, None
    return sum(values) / len(values), min(values)


class TextStream(BaseStreamer):
    """Turns tokens into text as they come, and holds back what is not a whole character yet and, with *text_ends*, what
    may be the customer's next turn."""

    def __init__(
        self,
        tokenizer: Any,
        emit: Callable[[str], None],
        *,
        stops: Sequence[int] = (),
        text_ends: bool = False,
    ) -> None:
        self._tokenizer, self._emit = tokenizer, emit
        self._stops, self._text_ends = stops, text_ends
        self.ids: list[int] = []
        self.first_at: float | None = None
        self._from = self._read = 0
        self._begun = self._prompt_seen = self._over = False
        self._held = ""

    def put(self, value: torch.Tensor) -> None:
        """Called by ``generate``: once with the prompt, then with each new token."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        self.first_at = self.first_at or time.perf_counter()
        self.ids += value.reshape(-1).tolist()
        before = self._decode(self.ids[self._from : self._read])
        text = self._decode(self.ids[self._from :])
        if len(text) > len(before) and not text.endswith("\ufffd"):
            self._hold(text[len(before) :])
            self._from, self._read = self._read, len(self.ids)

    def _hold(self, delta: str) -> None:
        if not self._text_ends:
            self._say(delta)
            return
        self._held += delta
        end = lines.end_of_reply(self._held, whole=not self._begun)
        ready = lines.sure(self._held) if end is None else end
        said, self._held = self._held[:ready], self._held[ready:]
        self._say(said)
        self._over = self._over or end is not None

    def _say(self, delta: str) -> None:
        if not self._begun:
            delta = delta.lstrip()
            self._begun = bool(delta)
        if delta and not self._over:
            self._emit(delta)

    def end(self) -> None:
        """Called by ``generate`` at its end: what was held back was the reply's own after all, or is dropped. The whole
        text is decoded by whoever asked for it."""
        if self._held.strip():
            self._say(self._held.rstrip())
        self._held = ""

    def _decode(self, ids: list[int]) -> str:
        return decoded(self._tokenizer, ids, self._stops)

    @property
    def text(self) -> str:
        """Everything generated so far."""
        return self._decode(self.ids).strip()


def decoded(tokenizer: Any, ids: Sequence[int], stops: Sequence[int]) -> str:
    """*ids* as text, without what ends a turn: that need not be a special token."""
    return str(tokenizer.decode([token for token in ids if token not in stops], skip_special_tokens=True))
