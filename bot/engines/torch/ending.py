"""What ends a generation: somebody who stops it, the length a row may have, or the customer's next turn."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import torch
from transformers import StoppingCriteria

from bot import lines

LABEL_TOKENS = 24  # of a reply's end: the longest that the beginning of a customer's turn may take, generously


class Stop(StoppingCriteria):
    """Ends a generation at the next token once *asked* is set."""

    def __init__(self, asked: threading.Event) -> None:
        self.asked = asked

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.asked.is_set(), dtype=torch.bool, device=input_ids.device)


class RowEnds(StoppingCriteria):
    """Ends each row of a batch by itself: after as many tokens as *limits* allows it, or, with *text_ends* (bases
    without a template), once it has begun the customer's next turn."""

    def __init__(self, tokenizer: Any, width: int, limits: Sequence[int], *, text_ends: bool) -> None:
        self._tokenizer, self._width, self._text_ends = tokenizer, width, text_ends
        self._limits = torch.tensor(list(limits))

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        done = input_ids.shape[1] - self._width >= self._limits.to(input_ids.device)
        if self._text_ends:
            begin = max(self._width, input_ids.shape[1] - LABEL_TOKENS)
            texts = self._tokenizer.batch_decode(input_ids[:, begin:], skip_special_tokens=True)
            whole = begin == self._width
            ended = [lines.end_of_reply(text, whole=whole) is not None for text in texts]
            done = done | torch.tensor(ended, device=input_ids.device)
        return done
