"""What stands before the first step: the base with its trainable weights, and everything that a training works with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader

from bot.bases.base import load_base
from bot.types import BaseSpec
from finetune.failures import RunFailure
from finetune.files import JobFiles
from finetune.methods import METHODS, Tuned
from finetune.methods.layers import frozen_layers
from finetune.objectives import objective_of
from finetune.objectives.answers import Batch
from finetune.objectives.objective import Objective, Row
from finetune.recipe import Recipe
from finetune.train.batches import Collator, Order, PassRows, Sorted, StepSampler
from finetune.train.frozen import unpack_frozen
from finetune.train.lora_kernel import SharedDropout, install
from finetune.train.lower import LowerLayers
from finetune.train.openings import Openings
from finetune.train.optimizers import make_optimizer, make_schedule
from finetune.train.plan import Plan
from finetune.train.reference import reader, with_reference
from finetune.train.rows import Cuts
from finetune.train.taught import Asked
from finetune.train.validate import Watched

# Tokens; for sequences shorter than this plain attention beats SDPA's CPU kernel, whose backward is slow.
EAGER_UP_TO = 512
EVALUATED_AT_ONCE = 16  # rows, where nothing is learned of them


def load_for_training(spec: BaseSpec, recipe: Recipe, system: str, *, longest: int, unpack: bool) -> tuple[Tuned, Any]:
    """(tuned, tokenizer): the base with the fresh, trainable weights of the recipe's method.

    ``system``: the desk's system message; ``longest``: tokens of the longest pair; ``unpack``: hold 4-bit weights
    unpacked, where memory allows. Raises :class:`RunFailure` (``needs-gpu``) and what the method raises."""
    model, tokenizer = load_base(spec, training=True)
    on_cpu = model.device.type == "cpu"
    if on_cpu and (recipe.precision == "fp16" or recipe.optimizer != "adamw"):
        raise RunFailure("needs-gpu", f"precision {recipe.precision}, optimizer {recipe.optimizer} on a CPU")
    if recipe.precision == "fp32" and spec.quantization != "nf4":
        model.float()
    if on_cpu and longest <= EAGER_UP_TO:
        model.set_attn_implementation("eager")
    if on_cpu and unpack:
        unpack_frozen(model)
    if recipe.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.train()
    torch.manual_seed(recipe.seed)
    return METHODS[recipe.method](model, tokenizer, recipe, system), tokenizer


@dataclass(frozen=True, slots=True)
class Material:
    """What is learned, what it is validated on, and where everything is written. ``rows``: a sequence of
    :class:`finetune.objectives.objective.Row`, with the column ``length``; ``cuts``: what did not fit into them;
    ``corrected``: some corrections, each with the reply that it replaced; ``unpacked``: the base's 4-bit weights are
    held unpacked."""

    rows: Any
    watched: Watched
    files: JobFiles
    cuts: Cuts = field(default=Cuts())
    corrected: Sequence[tuple[Row, Row]] = ()
    unpacked: bool = False


@dataclass(frozen=True, slots=True)
class Training:
    """Everything that a training works with. ``accelerator`` decides on which device, in how many processes and in
    which precision; ``dropout``: the one that LoRA's layers share, where they do; ``asked``: the rows that tell whether
    it is taught; ``lower``: what is kept of the layers that don't learn, where it is."""

    accelerator: Accelerator
    tuned: Tuned
    tokenizer: Any
    recipe: Recipe
    plan: Plan
    objective: Objective
    material: Material
    order: Order
    optimizer: Any
    schedule: Any
    dropout: SharedDropout | None
    asked: Asked
    lower: LowerLayers | None = None

    @property
    def collator(self) -> Collator:
        """Makes batches of rows."""
        return Collator(self.tokenizer.pad_token_id, packed=self.recipe.packing)

    def steps_after(self, done: int) -> Iterator[list[Batch]]:
        """The steps after the first *done* ones: the batches of each, on the device."""
        loader = DataLoader(
            PassRows(self.material.rows, self.lower),
            batch_sampler=StepSampler(self.order, self.plan, done),
            collate_fn=partial(replace(self.collator, objective=self.objective).parts, size=self.recipe.batch_size),
            pin_memory=self.accelerator.device.type == "cuda",
            generator=torch.Generator(),  # else it would draw from the training's own random numbers
        )
        yield from self.accelerator.prepare(loader)

    def watched_batches(self) -> Sequence[Batch]:
        """The pairs to validate on, those of similar length together, on the device."""
        return self._batches(self.collator, self.material.watched.rows)

    def taught_batches(self, places: Sequence[int]) -> Sequence[Batch]:
        """The learned rows at *places*, whole and padded, those of similar length together, on the device."""
        rows = PassRows(self.material.rows, self.lower)
        whole = [rows[place, int(self.material.rows[place]["length"])] for place in places]
        return self._batches(Collator(self.collator.pad), whole)

    def _batches(self, collator: Collator, rows: Sequence[Row]) -> Sequence[Batch]:
        ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
        device = self.accelerator.device
        return [
            {name: value.to(device) for name, value in batch.items()}
            for batch in collator.parts(ordered, max(EVALUATED_AT_ONCE, self.recipe.batch_size))
        ]

    def learned(self) -> dict[str, torch.nn.Parameter]:
        """The weights that are learned."""
        return {name: value for name, value in self.tuned.model.named_parameters() if value.requires_grad}

    def save_learned(self, path: Path) -> None:
        """Write the weights that are learned."""
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: value.detach().contiguous() for name, value in self.learned().items()}, path)

    def load_learned(self, path: Path) -> None:
        """Go back to weights that were written."""
        here = self.learned()
        for name, value in load_file(path).items():
            here[name].data.copy_(value)


def set_up(tuned: Tuned, tokenizer: Any, recipe: Recipe, material: Material, *, warm: bool) -> Training:
    """A training of what is trainable of *tuned*, before its first step. *warm*: it goes on from a version."""
    on_gpu = tuned.base.device.type == "cuda"
    accelerator = Accelerator(cpu=not on_gpu, mixed_precision=_precision(recipe, on_gpu))
    rows = material.rows
    kinds = Sorted.of(rows)
    # a wrong reply is compared with the whole of the right one
    opening = 0 if recipe.learns_from_mistakes else recipe.opening
    order = Order(Openings(rows, opening), recipe, kinds)
    plan = Plan.of(recipe, order.rows_per_epoch, warm=warm, phrasings=kinds.phrasings(rows))
    optimizer = make_optimizer(tuned.model, recipe, recipe.warm_learning_rate if warm else recipe.rate)
    schedule = make_schedule(optimizer, recipe, plan)
    _, optimizer, schedule = accelerator.prepare(tuned.model, optimizer, schedule)
    tuned.lower = lower = None if on_gpu else lower_layers(tuned, recipe, material)
    dropout, objective = install(tuned.model), objective_of(recipe)
    if objective.needs_reference:
        read = reader(tuned, accelerator.autocast, warm=warm)
        collator = Collator(tokenizer.pad_token_id, objective=objective)
        material = replace(material, rows=with_reference(rows, material.files.reference, read, collator))
    return Training(
        accelerator=accelerator,
        tuned=tuned,
        tokenizer=tokenizer,
        recipe=recipe,
        plan=plan,
        objective=objective,
        material=material,
        order=order,
        optimizer=optimizer,
        schedule=schedule,
        dropout=dropout,
        asked=Asked.of(rows, kinds) if plan.until_taught else Asked(),
        lower=lower,
    )


def lower_layers(tuned: Tuned, recipe: Recipe, material: Material) -> LowerLayers | None:
    """What keeps the work of the layers below the first one that learns; None where they all learn."""
    count = frozen_layers(tuned.base, recipe)
    if not count:
        return None
    return LowerLayers(tuned.base, count, material.files.lower, list(material.rows["length"]))


def _precision(recipe: Recipe, on_gpu: bool) -> str:
    """What accelerate is to compute in: on a CPU as the weights are held."""
    if recipe.precision == "fp16":
        return "fp16"
    return "bf16" if on_gpu and recipe.precision in ("auto", "bf16") else "no"
