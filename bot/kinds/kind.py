"""What every kind of adapter can do once it is on a base."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from bot.adapter_config import CONFIG_NAME
from bot.adapters import WEIGHTS_NAME, checked_config
from bot.types import EngineError

__all__ = ["CONFIG_NAME", "Kind", "Layers", "checked_config", "damaged", "read_weights"]

Layers = list[tuple[torch.Tensor, torch.Tensor]]  # keys and values of each layer, (1, heads, tokens, head size)


class Kind(Protocol):
    """The adapters of one kind on one base. At most one of all kinds serves at a time.

    ``load`` raises :class:`EngineError` (``adapter-damaged``) and then has changed nothing."""

    def load(self, version: str, folder: Path) -> None:
        """Read an adapter into memory, without letting it answer."""

    def forget(self, version: str) -> None:
        """Drop an adapter, if it is there."""

    def serve(self, version: str | None) -> None:
        """Let *version* answer; None: the bare base, exactly as if no adapter had ever been loaded."""

    def tensors(self, version: str) -> Iterator[torch.Tensor]:
        """The weights of an adapter."""

    @property
    def before(self) -> Layers | None:
        """Keys and values that stand before the first token of every text, if what serves has such."""


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The adapter's tensors by name. Raises :class:`EngineError` (``adapter-damaged``)."""
    try:
        return load_file(str(folder / WEIGHTS_NAME))
    except (OSError, SafetensorError) as error:
        raise damaged(folder, f"{WEIGHTS_NAME} can't be read") from error


def damaged(folder: Path, why: str) -> EngineError:
    """The error for an adapter that doesn't fit its base."""
    return EngineError("adapter-damaged", f"The weights of {folder.name} do not fit this base ({why}).")
