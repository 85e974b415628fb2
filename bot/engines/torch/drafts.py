"""Drafts: answers that somebody expects, kept as far as the model says the same.

To generate an answer takes one pass of the model a token; to see whether it *would* say a text takes one for all of
them, since every place tells which token is the likeliest after those before (the check of speculative decoding,
Leviathan et al. 2023, arXiv 2211.17192, for greedy answers). Where the model goes another way, its own token is known
as well, and the draft of another question may begin just like that: a desk has few answers to many questions, so what
is not the expected one is often another of them.
"""

from __future__ import annotations

import inspect
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import torch

from bot.engines.torch.rows import Answering, Row, Together, layers_of, together
from bot.types import Decoding

TOKENS = 1024  # computed at once, pads included: a processor gains nothing by more
LOGITS = 2**26  # numbers the head may give at once: 128 MiB in bf16


def usable(decoding: Decoding) -> bool:
    """Whether answers follow from the likeliest tokens alone."""
    return not decoding.do_sample and decoding.repetition_penalty == 1.0


class Drafts:
    """Makes answers out of drafts, which are tokens as the model would generate them, their end included.

    ``end``: of an answer's first tokens, how many it has if they end it, None if it goes on (the limit aside)."""

    def __init__(
        self, model: Answering, drafts: Sequence[Sequence[int]], end: Callable[[list[int]], int | None]
    ) -> None:
        self._model, self._end = model, end
        self._known = [draft for draft, _ in Counter(map(tuple, drafts)).most_common()]
        self._longest = max(1, LOGITS // int(model.base.config.get_text_config().vocab_size))
        # As transformers' own generation does: a few families have no positions to be told.
        self._positions = "position_ids" in inspect.signature(type(model.base).forward).parameters

    def take(self, rows: Sequence[Row], first: Sequence[Sequence[int]], stop: Callable[[], bool]) -> Iterator[Row]:
        """Take into *rows* what the model says of their *first* drafts, and of others that begin as the answers do;
        each row as soon as it is done. Ends early where *stop* says so."""
        proposed = [(row, [*draft[: min(row.most, self._longest)]]) for row, draft in zip(rows, first, strict=True)]
        while proposed:
            for group in _groups(proposed, self._longest):
                if stop():
                    return
                self._check([row for row, _ in group], [draft for _, draft in group])
                yield from (row for row, _ in group if row.done)
            proposed = [(row, draft) for row, _ in proposed if not row.done and (draft := self._next(row))]

    def _next(self, row: Row) -> list[int]:
        """How the answer in *row* may go on: as the commonest draft does that begins like it."""
        begun = len(row.new)
        for draft in self._known:
            if len(draft) > begun and [*draft[:begun]] == row.new:
                return [*draft[begun : min(row.most, begun + self._longest)]]
        return []

    def _check(self, rows: Sequence[Row], drafts: Sequence[list[int]]) -> None:
        """Add to each of *rows* as much of its draft as the model says, and what it says instead of the rest."""
        start = time.perf_counter()
        # Nothing is asked of a draft's last token, so it is not computed.
        asked = together(self._model, rows, [draft[:-1] for draft in drafts])
        logits = self._logits(asked, max(map(len, drafts)))
        for place, (row, draft) in enumerate(zip(rows, drafts, strict=True)):
            begin = asked.width - len(row.prompt) - len(row.new)
            scores = logits[place, : len(draft)].float()
            best, tokens = scores.max(dim=1)
            said = _agreed(tokens.tolist(), draft)
            self._add(row, said, (best - scores.logsumexp(1)).tolist())
            if not row.done:
                row.layers = layers_of(asked.cache, place, begin, asked.width + len(said) - 1)
        for row in rows:
            row.seconds += (time.perf_counter() - start) / len(rows)

    def _logits(self, asked: Together, places: int) -> torch.Tensor:
        """The logits of the last *places*, (rows, places, vocabulary)."""
        begin = asked.cache.get_seq_length()
        positions = (asked.mask.cumsum(1) - 1).clamp(min=0)[:, begin:]
        more = {"position_ids": positions} if self._positions else {}
        logits: torch.Tensor = self._model.base(
            input_ids=asked.ids[:, begin:],
            attention_mask=asked.mask,
            past_key_values=asked.cache,
            logits_to_keep=places,
            **more,
        ).logits
        return logits

    def _add(self, row: Row, said: list[int], sure: list[float]) -> None:
        new = row.new + said
        end = self._end(new)
        row.done = end is not None or len(new) >= row.most
        row.new = new[:end]
        row.sure += sure[: len(row.new) - len(row.sure)]


def _agreed(said: list[int], draft: list[int]) -> list[int]:
    """As much of *said* as follows from itself: the tokens of *draft*, and the first other one."""
    for place, (one, other) in enumerate(zip(said, draft, strict=True)):
        if one != other:
            return said[: place + 1]
    return said


def _groups(proposed: Sequence[tuple[Row, list[int]]], longest: int) -> Iterator[list[tuple[Row, list[int]]]]:
    """*proposed* in groups to be computed at once, similar lengths together."""
    group: list[tuple[Row, list[int]]] = []
    ahead = draft = 0
    for row, tokens in sorted(proposed, key=lambda one: len(one[0].ahead) + len(one[1])):
        ahead, draft = max(ahead, len(row.ahead)), max(draft, len(tokens))
        size = len(group) + 1
        if group and (size * (ahead + draft) > TOKENS or size * draft > longest):
            yield group
            group, ahead, draft = [], len(row.ahead), len(tokens)
        group.append((row, tokens))
    if group:
        yield group
