"""Bottleneck adapters (Houlsby et al. 2019): after attention and after the feed-forward part of every layer a narrow
detour is added to what passes: y + W_up f(W_down y).

They are no peft adapters (peft has none): a hook on each sublayer's last linear layer adds the detour to its output,
whatever holds the layer's own weights, so that a 4-bit base works as a dense one does and taking the hooks away leaves
the base as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from bot.adapters import WEIGHTS_NAME
from bot.kinds.kind import CONFIG_NAME, Layers, checked_config, damaged, read_weights

TYPE = "BOTTLENECK"
# The last linear layer of attention and of the feed-forward part, by the names of the families that are known.
PLACES = ("o_proj", "down_proj", "attention.dense", "mlp.dense_4h_to_h")
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


class Bottleneck(nn.Module):
    """One detour of *size* for a layer whose output has *width* numbers; an identity as long as ``up`` is zero."""

    def __init__(self, width: int, size: int, activation: str) -> None:
        super().__init__()
        self.width = width
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width)
        nn.init.normal_(self.down.weight, std=0.02)
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)
        self._f = ACTIVATIONS[activation]

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """*y* with the detour added. Computed in y's dtype: the weights may be held in a finer one for training."""
        down, up = self.down, self.up
        narrow = self._f(functional.linear(y, down.weight.to(y.dtype), down.bias.to(y.dtype)))
        return y + functional.linear(narrow, up.weight.to(y.dtype), up.bias.to(y.dtype))


class Bottlenecks(nn.Module):
    """The detours of one version, by the places they stand at. ``attach`` and ``detach`` put them on and off."""

    def __init__(self, widths: dict[str, int], size: int, activation: str) -> None:
        super().__init__()
        self.size, self.activation, self.widths = size, activation, widths
        self.detours = nn.ModuleList([Bottleneck(width, size, activation) for width in widths.values()])
        self._hooks: list[RemovableHandle] = []

    @classmethod
    def for_base(cls, base: nn.Module, size: int, activation: str, among: Collection[str] | None = None) -> Bottlenecks:
        """Fresh detours of *size* at every place of *base*, or at those *among* the layers of these names. Raises
        :class:`ValueError` if it has none that is known."""
        widths = {
            name: int(module.out_features)
            for name, module in base.named_modules()
            if name.endswith(PLACES) and hasattr(module, "out_features") and (among is None or name in among)
        }
        if not widths:
            raise ValueError("The base has no attention and feed-forward layers of a known name.")
        return cls(widths, size, activation)

    def attach(self, base: nn.Module) -> None:
        """From now on what the places of *base* put out takes the detours."""
        self.detach()
        for place, detour in zip(self.widths, self.detours, strict=True):
            self._hooks.append(base.get_submodule(place).register_forward_hook(_through(detour)))

    def detach(self) -> None:
        """The base is as it was."""
        while self._hooks:
            self._hooks.pop().remove()

    def save(self, folder: Path, base_name: str) -> None:
        """Write config and weights into *folder*."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "peft_type": TYPE,
            "base_model_name_or_path": base_name,
            "size": self.size,
            "activation": self.activation,
            "places": self.widths,
        }
        (folder / CONFIG_NAME).write_text(json.dumps(config, indent=1), encoding="utf-8")
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / WEIGHTS_NAME)

    @classmethod
    def read(cls, folder: Path) -> Bottlenecks:
        """What :meth:`save` wrote. Raises :class:`bot.types.EngineError` (``adapter-damaged``)."""
        config, weights = checked_config(folder), read_weights(folder)
        try:
            made = cls({str(k): int(v) for k, v in config["places"].items()}, int(config["size"]), config["activation"])
            made.load_state_dict(weights)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise damaged(folder, str(error).strip().splitlines()[-1].strip()) from error
        return made


def _through(detour: nn.Module) -> Any:
    def hook(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
        through: torch.Tensor = detour(output)
        return through

    return hook


class BottleneckKind:
    """The bottleneck versions on one base; see :class:`bot.kinds.kind.Kind`."""

    before: Layers | None = None

    def __init__(self, base: Any, dtype: torch.dtype) -> None:
        self._base, self._dtype = base, dtype
        self._versions: dict[str, Bottlenecks] = {}

    def load(self, version: str, folder: Path) -> None:
        """Read it and see that every place is there, with its width."""
        made = Bottlenecks.read(folder)
        for place, width in made.widths.items():
            try:
                here = self._base.get_submodule(place).out_features
            except AttributeError as error:
                raise damaged(folder, place) from error
            if here != width:
                raise damaged(folder, f"{place}: {width} numbers, not {here}")
        self._versions[version] = made.to(self._base.device, self._dtype).requires_grad_(False).eval()

    def forget(self, version: str) -> None:
        """Take it off."""
        if (gone := self._versions.pop(version, None)) is not None:
            gone.detach()

    def serve(self, version: str | None) -> None:
        """Put the hooks of one version on, after taking all others off."""
        for made in self._versions.values():
            made.detach()
        if version is not None:
            self._versions[version].attach(self._base)

    def tensors(self, version: str) -> Iterator[torch.Tensor]:
        """The weights of all detours."""
        yield from self._versions[version].parameters()
