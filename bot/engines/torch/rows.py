"""The answers of a batch while they are made, and the caches of several as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.nn import functional
from transformers import DynamicCache

from bot.kinds.kind import Layers


class Answering(Protocol):
    """A model that can be asked: one that serves, or one that is being trained."""

    @property
    def base(self) -> Any:
        """The causal model, with what answers on it."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """A fresh cache for *batch* texts, and how many places it holds before them."""


@dataclass(slots=True)
class Row:
    """One answer of a batch. ``index``: of its prompt; ``prompt``: its tokens, without as many exchanges as were
    ``dropped``; ``most``: the tokens the answer may have.

    ``new``: the tokens it has so far; ``sure``: the natural logarithm of each one's probability; ``seconds``: its share
    of the time; ``layers``: keys and values, (key heads, tokens, head size) in each layer, of all its tokens but the
    last, None before anything was computed; ``done``: whether it is complete."""

    index: int
    prompt: list[int]
    dropped: int
    most: int
    new: list[int] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)
    seconds: float = 0.0
    layers: Layers | None = None
    done: bool = False

    @property
    def cached(self) -> int:
        """How many of its tokens ``layers`` holds."""
        return 0 if self.layers is None else int(self.layers[0][0].shape[1])

    @property
    def ahead(self) -> list[int]:
        """Its tokens that were not computed yet."""
        return (self.prompt + self.new)[self.cached :]


def in_parts(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """*rows* in their order, at most *size* at once."""
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


@dataclass(frozen=True, slots=True)
class Together:
    """Rows as one tensor: ``ids`` and ``mask`` of all places, (rows, places), of which the first are in ``cache``;
    ``held``: those of them that stand before every text, ``width``: of the places that end with what rows have."""

    ids: torch.Tensor
    mask: torch.Tensor
    cache: DynamicCache
    held: int
    width: int


def together(model: Answering, rows: Sequence[Row], drafts: Sequence[Sequence[int]] = ()) -> Together:
    """*rows* padded on the left so that all end at one place, and after it *drafts*, padded on the right. Either all
    rows were begun, or none."""
    cache, held = model.new_cache(len(rows))
    _add(cache, rows)
    pad, texts = model.tokenizer.pad_token_id, [row.prompt + row.new for row in rows]
    drafts = drafts or [()] * len(rows)
    width, longest = max(map(len, texts)), max(map(len, drafts))
    ids, mask = [], []
    for text, draft in zip(texts, drafts, strict=True):
        before, after = width - len(text), longest - len(draft)
        # Ids for the places that stand before the text: never computed, but a repetition penalty counts them, hence one
        # that the prompt has anyway.
        ids.append(text[:1] * held + [pad] * before + text + [*draft] + [pad] * after)
        mask.append([1] * held + [0] * before + [1] * (len(text) + len(draft)) + [0] * after)
    device = model.base.device
    return Together(torch.tensor(ids, device=device), torch.tensor(mask, device=device), cache, held, held + width)


def _add(cache: DynamicCache, rows: Sequence[Row]) -> None:
    """Put what was computed of *rows* into *cache*, padded on the left."""
    begun = [row.layers for row in rows if row.layers is not None]
    longest = max(row.cached for row in rows)
    for number in range(len(begun[0]) if begun else 0):
        keys, values = (
            torch.stack([functional.pad(each, (0, 0, longest - each.shape[1], 0)) for each in part])
            for part in zip(*(layers[number] for layers in begun), strict=True)
        )
        cache.update(keys, values, number)


def layers_of(cache: DynamicCache, place: int, begin: int, end: int) -> Layers:
    """What *cache* holds of the text in row *place*, from *begin* to *end*; a copy, so that the cache can go."""
    return [
        (layer.keys[place, :, begin:end].clone(), layer.values[place, :, begin:end].clone()) for layer in cache.layers
    ]
