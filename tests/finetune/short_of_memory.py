"""The training process on a machine whose memory holds two pairs at a time, and that has not been tried before the
second step: what ``finetune.train.trainer`` is replaced by in a test."""

from __future__ import annotations

import sys
from typing import Any

from finetune.train import trainer, training

PAIRS = 2

_compute_loss = training.DeskTrainer.compute_loss


def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """As torch's own allocator puts it."""
    if self.state.global_step >= 1 and inputs["input_ids"].shape[0] > PAIRS:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
    return _compute_loss(self, model, inputs, *args, **kwargs)


training.DeskTrainer.compute_loss = compute_loss  # type: ignore[method-assign]
sys.exit(trainer.main())
