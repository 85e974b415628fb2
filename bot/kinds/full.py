"""Full fine-tuning: a version is a whole set of weights. The yardstick for everything else, for small dense bases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from bot.adapters import WEIGHTS_NAME
from bot.kinds.kind import CONFIG_NAME, Layers, damaged, read_weights

TYPE = "FULL"


def save_all(base: Any, folder: Path, base_name: str) -> None:
    """Write every weight of *base* into *folder*; tied weights once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_NAME).write_text(json.dumps({"peft_type": TYPE, "base_model_name_or_path": base_name}))
    save_file({name: value.detach().contiguous() for name, value in base.named_parameters()}, folder / WEIGHTS_NAME)


class FullKind:
    """Whole sets of weights, of which one is in the base's place; see :class:`bot.kinds.kind.Kind`.

    The base's own weights are kept, so that going back to them is exact."""

    before: Layers | None = None

    def __init__(self, base: Any, dtype: torch.dtype) -> None:
        self._base, self._dtype = base, dtype
        self._versions: dict[str, dict[str, torch.Tensor]] = {}
        self._own: dict[str, torch.Tensor] = {}
        self._serving: str | None = None

    def load(self, version: str, folder: Path) -> None:
        """Read them and see that they are the base's, all of them."""
        weights = read_weights(folder)
        here = self._parameters()
        if wrong := sorted(set(weights) ^ set(here)):
            raise damaged(folder, wrong[0])
        if wrong := [name for name, value in weights.items() if value.shape != here[name].shape]:
            raise damaged(folder, wrong[0])
        self._versions[version] = weights

    def _parameters(self) -> dict[str, torch.nn.Parameter]:
        """The base's own weights by the names they had before any LoRA layer was put around them."""
        return {
            name.replace(".base_layer.", "."): parameter
            for name, parameter in self._base.named_parameters()
            if ".lora_" not in name
        }

    def forget(self, version: str) -> None:
        """Drop them; if they serve, the base's own come back."""
        if self._serving == version:
            self.serve(None)
        self._versions.pop(version, None)

    def serve(self, version: str | None) -> None:
        """Copy a set into the base's place."""
        if version == self._serving:
            return
        here = self._parameters()
        if not self._own:
            self._own = {name: parameter.detach().clone() for name, parameter in here.items()}
        for name, value in (self._own if version is None else self._versions[version]).items():
            here[name].data.copy_(value)
        self._serving = version

    def tensors(self, version: str) -> Iterator[torch.Tensor]:
        """Every weight."""
        yield from self._versions[version].values()
