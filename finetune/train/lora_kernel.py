"""LoRA's forward and backward in one step, for training on a CPU.

peft computes base(x) + scale * B(A(dropout(x))) with a dozen small operations a layer, in fp32, and draws a dropout
mask for every layer. On a CPU half of a step's time goes into that. Here it is one autograd function in the base's
dtype with fp32 master weights, and layers that read the same input (query, key and value; gate and up) share one
mask, drawn 16 bits a number.

Source of the formulas: Hu et al. 2021, "LoRA", section 4.1; gradients by the chain rule:
with h = d A^T (d: dropped x) and y = x W^T + s h B^T, for the gradient g of y:
dB = s g^T h, dA = s (g B)^T d, dx = g W + dropout'(s g B A).
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn import functional

LEVELS = 2**16  # a dropout probability is kept to within 1/65536


class _LoraLinear(torch.autograd.Function):
    """y = x W^T + b + s (d A^T) B^T, with d = x * keep. x: (rows, in) in the base's dtype; A: (r, in), B: (out, r)."""

    @staticmethod
    def forward(  # torch.autograd calls it with every tensor that gets a gradient, one by one: so many parameters
        ctx: Any,
        x: torch.Tensor,
        dropped: torch.Tensor,
        keep: torch.Tensor | None,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        down_low, up_low = down.to(x.dtype), (up * scale).to(x.dtype)
        hidden = dropped @ down_low.t()
        y = functional.linear(x, weight, bias)
        y.addmm_(hidden, up_low.t())
        ctx.save_for_backward(dropped, keep, weight, down_low, up_low, hidden)
        ctx.scale = scale
        ctx.dtype = down.dtype
        return y

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = grads
        dropped, keep, weight, down, up, hidden = ctx.saved_tensors
        through = grad @ up
        grad_down = (through.t() @ dropped).to(ctx.dtype)
        grad_up = (grad.t() @ hidden).to(ctx.dtype) * ctx.scale
        grad_x = None
        if ctx.needs_input_grad[0]:
            path = through @ down
            grad_x = (grad @ weight).add_(path if keep is None else path.mul_(keep))
        return grad_x, None, None, None, None, grad_down, grad_up, None


class SharedDropout:
    """The dropped copy of an input, made once for all layers that read it in a row."""

    def __init__(self, probability: float) -> None:
        self._below = round(probability * LEVELS) - LEVELS // 2
        self._scale = 1.0 / (1.0 - probability)
        self._active = probability > 0
        self._input: torch.Tensor | None = None
        self._made: tuple[torch.Tensor, torch.Tensor | None] | None = None

    def __call__(self, x: torch.Tensor, rows: torch.Tensor, training: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(dropped, keep) for *x*, whose two-dimensional view is *rows*; keep is None where nothing is dropped."""
        if not training or not self._active:
            return rows, None
        if self._input is not x or self._made is None:
            with torch.no_grad():
                bits = torch.empty((rows.numel() + 3) // 4, dtype=torch.int64)
                bits = bits.random_(-(2**63), None).view(torch.int16)  # without bounds the sign bit would stay 0
                keep = (bits[: rows.numel()].view(rows.shape) >= self._below).to(rows.dtype).mul_(self._scale)
                self._made = (rows.detach() * keep, keep)
            self._input = x
        return self._made

    def forget(self) -> None:
        """Let go of the last input; to be called after each step."""
        self._input = self._made = None


def install(model: Any, adapter: str = "default") -> SharedDropout | None:
    """Give the LoRA layers of *model* this forward; None, with nothing changed, if one of them is no plain LoRA over
    a dense linear layer on the CPU."""
    from peft.tuners.lora import LoraLayer

    layers = [module for module in model.modules() if isinstance(module, LoraLayer) and adapter in module.lora_A]
    if not layers or not all(_fits(layer, adapter) for layer in layers):
        return None
    probability = float(getattr(layers[0].lora_dropout[adapter], "p", 0.0))
    shared = SharedDropout(probability)
    for layer in layers:
        vars(layer)["shared_dropout"] = shared
        vars(layer)["adapter_name"] = adapter
        layer.forward = MethodType(_forward, layer)
    return shared


def _fits(layer: Any, adapter: str) -> bool:
    base = layer.base_layer
    return (
        type(base) is torch.nn.Linear
        and base.weight.device.type == "cpu"
        and not layer.lora_variant.get(adapter)
        and not layer.lora_bias.get(adapter)
    )


def _forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    base, name = self.base_layer, self.adapter_name
    rows = x.reshape(-1, x.shape[-1])
    dropped, keep = self.shared_dropout(x, rows, self.training)
    y: torch.Tensor = _LoraLinear.apply(
        rows,
        dropped,
        keep,
        base.weight,
        base.bias,
        self.lora_A[name].weight,
        self.lora_B[name].weight,
        self.scaling[name],
    )  # type: ignore[no-untyped-call]
    return y.view(*x.shape[:-1], y.shape[-1])
