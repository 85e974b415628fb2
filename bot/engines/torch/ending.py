"""What ends a generation: somebody who stops it, the length a row may have, the customer's next turn, or saying the
same again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import StoppingCriteria

from bot import lines
from bot.repeating import SEEN, repeats

LABEL_TOKENS = 24  # of a reply's end: the longest that the beginning of a customer's turn may take, generously


class Stopping(Protocol):
    """Says whether to stop: a :class:`threading.Event`, or what is asked like one."""

    def is_set(self) -> bool:
        """Whether to stop now."""
        ...


class Stop(StoppingCriteria):
    """Ends a generation at the next token once *asked* is set."""

    def __init__(self, asked: Stopping) -> None:
        self.asked = asked

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.asked.is_set(), dtype=torch.bool, device=input_ids.device)


class RowEnds(StoppingCriteria):
    """Ends each row of a batch by itself: after as many tokens as *limits* allows it, where it repeats itself, or, with
    *text_ends* (bases without a template), once it has begun the customer's next turn. *starts*: where the answer of
    each row begins."""

    def __init__(self, tokenizer: Any, starts: Sequence[int], limits: Sequence[int], *, text_ends: bool) -> None:
        self._tokenizer, self._starts, self._text_ends = tokenizer, starts, text_ends
        self._ends = torch.tensor([start + limit for start, limit in zip(starts, limits, strict=True)])

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        width = input_ids.shape[1]
        done = width >= self._ends.to(input_ids.device)
        seen = max(0, width - max(SEEN, LABEL_TOKENS + 1))
        rows = input_ids[:, seen:].tolist()
        ended = [self._ended(row[max(0, start - seen) :]) for row, start in zip(rows, self._starts, strict=True)]
        return done | torch.tensor(ended, device=input_ids.device)

    def _ended(self, new: Sequence[int]) -> bool:
        return repeats(new) or (self._text_ends and begins_turn(self._tokenizer, new))


def begins_turn(tokenizer: Any, new: Sequence[int]) -> bool:
    """Whether the last of the tokens *new* of a reply makes its end the beginning of the customer's next turn."""
    text = tokenizer.decode(new[-LABEL_TOKENS:], skip_special_tokens=True)
    return lines.end_of_reply(text, whole=len(new) <= LABEL_TOKENS) is not None


def end_of(tokenizer: Any, new: Sequence[int], stops: Sequence[int], *, text_ends: bool) -> int | None:
    """After how many of the tokens *new* their reply ends; None if it does not."""
    for count, token in enumerate(new, 1):
        if token in stops or repeats(new[max(0, count - SEEN) : count]):
            return count
        if text_ends and begins_turn(tokenizer, new[:count]):
            return count
    return None
