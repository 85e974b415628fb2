"""The back end that knows every kind of adapter: torch, transformers and peft. What stands here imports none of
them."""

from __future__ import annotations

from typing import Final

from bot.types import Capabilities

MODULE: Final = "bot.engines.torch.process"
CAPABILITIES: Final = Capabilities(
    back_end="torch",
    kinds=("LORA", "PREFIX_TUNING", "PROMPT_TUNING", "BOTTLENECK", "FULL"),  # those of bot.kinds.KINDS
    grids=("nf4", "bf16", "fp32"),
    parallel=False,
    likelihoods=True,
)
