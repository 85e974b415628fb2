"""How likely a training's texts were before anything was learned: what some objectives measure drift by.

The reference is the version that a training goes on from, or the base: computed before the first step, once, and kept
beside the job, so that a resumed training, and one in smaller batches, goes on by the same numbers. So it costs a pass
without gradients over the texts that are compared, and no second model.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from finetune.methods import Tuned
from finetune.methods.method import at_rest
from finetune.objectives.answers import likelihoods
from finetune.train.batches import Collator

Read = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(token ids, labels), both (texts, longest), to the logarithm of each text's probability."""

AT_ONCE = 8  # rows, where nothing is learned of them
OWN, OTHER = "reference", "other_reference"  # columns of finetune.objectives.objective.Row


def with_reference(rows: Any, kept: Path, read: Read, collator: Collator) -> Any:
    """*rows* with the columns of the reference, 0 where there is no second text to compare with. It is read from the
    file *kept*, or written there by *read*."""
    if not kept.is_file():
        found = _measure(rows, read, collator)
        new = kept.with_suffix(".new")
        new.touch(mode=0o600)
        save_file(found, new)
        new.replace(kept)
    found = load_file(kept)
    return rows.add_column(OWN, found[OWN].tolist()).add_column(OTHER, found[OTHER].tolist())


def reader(tuned: Tuned, autocast: Callable[[], AbstractContextManager[Any]], *, warm: bool) -> Read:
    """Reads with *tuned* as it is before its first step; *warm*: it goes on from a version."""

    def read(ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        device = tuned.base.device
        with at_rest(tuned), torch.no_grad(), autocast():
            return likelihoods(tuned, ids.to(device), labels.to(device), bare=not warm).of_texts.cpu()

    return read


def _measure(rows: Any, read: Read, collator: Collator) -> dict[str, torch.Tensor]:
    found = {name: torch.zeros(len(rows)) for name in (OWN, OTHER)}
    compared = sorted(
        (place for place, row in enumerate(rows) if row["other_ids"]), key=lambda place: rows[place]["length"]
    )
    for begin in range(0, len(compared), AT_ONCE):
        places = compared[begin : begin + AT_ONCE]
        batch = collator([rows[place] for place in places])
        found[OWN][places] = read(batch["input_ids"], batch["labels"])
        found[OTHER][places] = read(batch["other_ids"], batch["other_labels"])
    return found
