"""Serving LoRA without peft's per-call bookkeeping.

peft's LoRA layer checks, casts and scales on every call, which on a CPU costs as much per token as the base itself.
For serving a plain LoRA layer is base(x) + B(A(x)): that is what is installed here, with the scale folded into B and
both in the base's dtype. Training and every other kind of adapter keep peft's own forward.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn import functional


def is_plain_lora(model: torch.nn.Module, adapter: str) -> bool:
    """Whether every layer of *adapter* is LoRA without variants (DoRA and the like), bias or embeddings."""
    from peft.tuners.lora import Linear, LoraLayer

    layers = [module for module in model.modules() if isinstance(module, LoraLayer) and adapter in _names(module)]
    return bool(layers) and all(
        hasattr(layer, "base_layer")
        and adapter in layer.lora_A
        and not layer.lora_variant.get(adapter)
        and not layer.lora_bias.get(adapter)
        and (isinstance(layer, Linear) or type(layer).__name__ == "Linear4bit")
        for layer in layers
    )


def _names(layer: Any) -> set[str]:
    return set(layer.lora_A) | set(layer.lora_embedding_A)


def install(model: torch.nn.Module) -> None:
    """Give every LoRA layer of *model* the short forward; :func:`serve` says what it adds."""
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer) and "serving" not in vars(module):
            vars(module)["serving"] = None
            module.forward = MethodType(_forward, module)


def uninstall(model: torch.nn.Module) -> None:
    """Give every layer peft's own forward back, for an adapter that is not plain."""
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer) and "serving" in vars(module):
            del vars(module)["serving"], vars(module)["forward"]


def forget(model: torch.nn.Module, adapter: str) -> None:
    """Drop what :func:`serve` has kept of *adapter*: its name may come back with other weights."""
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer):
            vars(module).get("scaled", {}).pop(adapter, None)


def serve(model: torch.nn.Module, adapter: str | None, dtype: torch.dtype) -> None:
    """Let *adapter* (None: nothing) answer where the short forward is installed. Takes a few milliseconds: the scaled
    weights are made once and kept."""
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer) and "serving" in vars(module):
            vars(module)["serving"] = (
                _weights(module, adapter, dtype) if adapter is not None and adapter in module.lora_A else None
            )


def _weights(layer: Any, adapter: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    made: dict[str, tuple[torch.Tensor, torch.Tensor]] = vars(layer).setdefault("scaled", {})
    if adapter not in made:
        down = layer.lora_A[adapter].weight.detach().to(dtype)
        up = (layer.lora_B[adapter].weight.detach().float() * layer.scaling[adapter]).to(dtype)
        made[adapter] = (down, up)
    return made[adapter]


def _forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    result: torch.Tensor = self.base_layer(x)
    if self.serving is not None:
        down, up = self.serving
        result += functional.linear(functional.linear(x.to(down.dtype), down), up)
    return result
