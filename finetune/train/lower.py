"""The layers below the first one that learns, computed once.

Where the lowest layers of a base get no adapter, what they make of a row is the same at every pass: it is computed at
the row's first use and kept, in a file beside the rows, so that its size costs no memory. A step then begins in the
middle of the base. The weights never change, there is no dropout among them, and under a causal mask what a place holds
does not depend on what follows: so a row that is cut short, or packed beside others, is the beginning of the whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from finetune.methods.layers import layers_of

KEPT_AT_MOST = 4 * 2**30  # bytes of a file; rows beyond it are computed at each use
PIECE = 2**20  # bytes written at a time


class _Passing(nn.Module):
    """Stands for a layer whose work is done: hands on what it gets, or *states* where it has them. Everything else that
    a base asks a layer for is answered by the layer itself."""

    def __init__(self, layer: nn.Module, as_tuple: bool) -> None:
        super().__init__()
        self.__dict__["_layer"] = layer  # not a part of this module: it is not to be trained, moved or counted
        self._as_tuple = as_tuple
        self.states: torch.Tensor | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_layer"], name)

    def forward(self, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        states = hidden_states if self.states is None else self.states
        return (states,) if self._as_tuple else states


class LowerLayers:
    """The lowest *count* layers of *base*, and what they made of the rows of a training.

    ``file``: where that is kept; ``lengths``: tokens of every row, by its place."""

    def __init__(self, base: Any, count: int, file: Path, lengths: Sequence[int]) -> None:
        found = layers_of(base)
        if found is None or count < 1:
            raise ValueError("the base has no plain list of layers")
        self._base, (self._body, self._name) = base, found
        self._whole: nn.ModuleList = getattr(*found)
        self._lowest = nn.ModuleList(list(self._whole)[:count])
        self._width, self._type = int(base.config.hidden_size), base.get_input_embeddings().weight.dtype
        self._begins = _begins(lengths)
        self._known = [False] * len(lengths)
        row_bytes = self._width * self._type.itemsize
        self._fits = _rows_up_to(self._begins, KEPT_AT_MOST // row_bytes)
        if not _reserve(file, self._begins[self._fits] * row_bytes):
            self._fits = 0
        size = self._begins[self._fits] * self._width
        self._kept = (
            torch.from_file(str(file), shared=True, size=size, dtype=self._type) if size else torch.empty(0)
        ).view(-1, self._width)
        as_tuple = isinstance(self._run(torch.zeros(1, 1, dtype=torch.long, device=base.device)), tuple)
        self._passing = nn.ModuleList([_Passing(layer, as_tuple) for layer in self._lowest])
        self._upper = nn.ModuleList([*self._passing, *self._whole[count:]])

    def of(self, place: int, ids: Sequence[int]) -> torch.Tensor:
        """What the layers make of the row at *place*, whose tokens are *ids*: (tokens, width)."""
        if place >= self._fits:
            return self._compute(ids)
        whole = self._kept[self._begins[place] : self._begins[place + 1]]
        if not self._known[place]:
            whole.copy_(self._compute(ids))
            self._known[place] = True
        return whole

    @contextmanager
    def given(self, states: torch.Tensor) -> Iterator[None]:
        """While this is open, the base goes on from *states*, (rows, tokens, width), whatever tokens it reads."""
        self._passing[-1].states = states
        setattr(self._body, self._name, self._upper)
        try:
            yield
        finally:
            setattr(self._body, self._name, self._whole)

    @torch.no_grad()
    def _compute(self, ids: Sequence[int]) -> torch.Tensor:
        """One row, alone, so that it is the same to the bit whenever it is computed."""
        made = self._run(torch.tensor([ids], device=self._base.device))
        states: torch.Tensor = made[0] if isinstance(made, tuple) else made
        return states[0]

    @torch.no_grad()
    def _run(self, ids: torch.Tensor) -> Any:
        """What the last of the layers gives for *ids*, (1, tokens)."""
        caught: list[Any] = []
        hook = self._lowest[-1].register_forward_hook(lambda module, args, output: caught.append(output))
        training = self._base.training
        self._base.eval()
        setattr(self._body, self._name, self._lowest)
        try:
            self._base.base_model(input_ids=ids, use_cache=False)
        finally:
            setattr(self._body, self._name, self._whole)
            self._base.train(training)
            hook.remove()
        return caught[0]


def _reserve(file: Path, size: int) -> bool:
    """Whether the disk has room for a file of *size* bytes; it is then taken at once: a write into a mapped file that
    finds the disk full would kill the process."""
    if not size:
        return False
    file.unlink(missing_ok=True)
    try:
        file.touch(mode=0o600)
        with file.open("wb") as opened:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(opened.fileno(), 0, size)
            else:
                for begin in range(0, size, PIECE):
                    opened.write(bytes(min(PIECE, size - begin)))
    except OSError:
        file.unlink(missing_ok=True)
        return False
    return True


def _begins(lengths: Sequence[int]) -> list[int]:
    """Where each row begins if all stand one after another; and where the last one ends."""
    begins = [0]
    for length in lengths:
        begins.append(begins[-1] + length)
    return begins


def _rows_up_to(begins: Sequence[int], places: int) -> int:
    """How many rows end before *places*."""
    return next((number for number, end in enumerate(begins[1:]) if end > places), len(begins) - 1)
