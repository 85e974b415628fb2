"""The frozen half of QLoRA on a CPU: 4-bit weights unpacked once instead of at every step.

``matmul_4bit`` unpacks a weight to bf16 before each product, in the forward and again in the backward pass. Where the
unpacked weights fit into memory it is the same arithmetic, and faster, to unpack them once. What is trained on are
still the NF4 weights: the adapter is served on them.
"""

from __future__ import annotations

from typing import Any

import torch


def unpack_frozen(model: Any) -> int:
    """Replace every 4-bit layer of *model* by a dense one that holds the unpacked weights; returns how many.

    The model then no longer counts as quantized, for peft and transformers alike."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, Linear4bit)]
    for name, module in layers:
        dense = torch.nn.Linear(module.in_features, module.out_features, bias=False, device="meta")
        weight = dequantize_4bit(module.weight.data, module.weight.quant_state).to(torch.bfloat16)
        dense.weight = torch.nn.Parameter(weight, requires_grad=False)
        dense.bias = module.bias
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, dense)
    if layers:
        model.is_loaded_in_4bit = model.is_quantized = False
        model.hf_quantizer = model.quantization_method = None
        model._weight_conversions = None  # how its 4-bit file was read is not how it would be written
        del model.config.quantization_config
    return len(layers)
