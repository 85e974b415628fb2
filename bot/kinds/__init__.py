"""The kinds of adapters a base can carry, one file each, and the one table that lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bot.kinds import bottleneck, full, virtual
from bot.kinds.bottleneck import BottleneckKind
from bot.kinds.full import FullKind
from bot.kinds.kind import Kind, Layers, checked_config, damaged
from bot.kinds.lora import LoraKind
from bot.kinds.virtual import VirtualKind, cache_of

__all__ = ["KINDS", "Kind", "Layers", "cache_of", "kind_of"]

# the peft_type in adapter_config.json -> what serves such adapters
KINDS: dict[str, Callable[[Any, torch.dtype], Kind]] = {
    "LORA": LoraKind,
    virtual.PREFIX: VirtualKind,
    virtual.SOFT_PROMPT: VirtualKind,
    bottleneck.TYPE: BottleneckKind,
    full.TYPE: FullKind,
}


def kind_of(folder: Path) -> str:
    """The kind of the adapter in *folder*. Raises :class:`bot.types.EngineError` (``adapter-damaged``)."""
    name: str = checked_config(folder)["peft_type"]
    if name not in KINDS:
        raise damaged(folder, f"kind {name}")
    return name
