"""Checkpoints: all that a training needs to go on as if it had not stopped, to the bit, and nothing else.

What is learned is in safetensors; the states of optimizer, schedule, gradient scaler and random numbers in a file that
is read as plain tensors and numbers, never as code. Where the training stands in its data is the number of its step.
Only torch's generators are kept: nothing in a training draws from another one.
"""

from __future__ import annotations

from typing import Any

import msgspec
import torch

from finetune.files import mark_complete
from finetune.train.progress import Progress
from finetune.train.setup import Training

LEARNED, STATE, PROGRESS = "learned.safetensors", "state.pt", "progress.json"


def save_checkpoint(training: Training, progress: Progress) -> None:
    """Write a checkpoint; once it is marked as whole, the one before it goes."""
    files, accelerator = training.material.files, training.accelerator
    folder = files.checkpoints / f"checkpoint-{progress.step}"
    training.save_learned(folder / LEARNED)
    state: dict[str, Any] = {
        "optimizer": training.optimizer.state_dict(),
        "schedule": training.schedule.state_dict(),
        "scaler": None if accelerator.scaler is None else accelerator.scaler.state_dict(),
        "random": torch.get_rng_state(),
        "random_on_gpus": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    torch.save(state, folder / STATE)
    (folder / PROGRESS).write_bytes(msgspec.json.encode(progress))
    mark_complete(folder)
    files.drop_checkpoints(but=folder)
    if (best := progress.best(training.recipe.best_by)) is not None:
        files.drop_best(but=best.step)


def go_on(training: Training) -> Progress:
    """Put *training* where its last whole checkpoint left it; without one, at the beginning."""
    files, accelerator = training.material.files, training.accelerator
    folder = files.last_checkpoint()
    files.drop_checkpoints(but=folder)
    if folder is None:
        torch.manual_seed(training.recipe.seed)
        return Progress()
    training.load_learned(folder / LEARNED)
    state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
    training.optimizer.load_state_dict(state["optimizer"])
    training.schedule.load_state_dict(state["schedule"])
    if accelerator.scaler is not None:
        accelerator.scaler.load_state_dict(state["scaler"])
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["random_on_gpus"])
    return msgspec.json.decode((folder / PROGRESS).read_bytes(), type=Progress)
