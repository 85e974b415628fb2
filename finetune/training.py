"""Training itself: transformers' Trainer over the pairs, with the parts that make it right and fast on a small desk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors.torch import load_file, save_file
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from bot.base import load_base
from bot.types import BaseSpec
from finetune.dataset import Collator, LengthBuckets
from finetune.failures import RunFailure
from finetune.files import RunFiles, mark_complete
from finetune.frozen import unpack_frozen
from finetune.heldout import answer_loss, heldout_loss, is_due
from finetune.lora_kernel import SharedDropout, install
from finetune.methods import METHODS, Tuned
from finetune.recipe import Recipe

Tell = Callable[[str, dict[str, Any]], None]
LEARNED = "learned.safetensors"  # in a checkpoint: the weights that are trained
# what a recipe calls an optimizer -> what transformers calls it
OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
}
SAVE_EVERY = 30.0  # seconds between checkpoints: what a power cut costs at most
TELL_EVERY = 0.25  # seconds between two step events
EAGER_UP_TO = (
    512  # tokens; for sequences shorter than this plain attention beats SDPA's CPU kernel, whose backward is slow
)


class Interrupted(Exception):
    """Training was asked to stop and has left a checkpoint to go on from."""


def load_for_training(spec: BaseSpec, recipe: Recipe, system: str, *, longest: int, unpack: bool) -> tuple[Tuned, Any]:
    """(tuned, tokenizer): the base with the fresh, trainable weights of the recipe's method.

    ``system``: the desk's system message; ``longest``: tokens of the longest pair; ``unpack``: hold 4-bit weights
    unpacked, where memory allows."""
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


class DeskTrainer(Trainer):
    """A Trainer that computes the output head only where there is something to learn, and watches the loss."""

    def __init__(self, *args: Any, tuned: Tuned, recipe: Recipe, lengths: list[int], **kwargs: Any) -> None:
        super().__init__(*args, model=tuned.model, **kwargs)
        self._tuned, self._recipe = tuned, recipe
        self.model_accepts_loss_kwargs = True  # ours: what a step is divided by counts the tokens of all its batches
        self._buckets = LengthBuckets(lengths, recipe.batch_size, recipe.seed, sort=recipe.bucketing)
        self.dropout: SharedDropout | None = install(self.model)
        self.last_loss = math.nan
        self.tokens = 0

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> LengthBuckets:
        return self._buckets

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW; with LoRA+ (Hayou et al. 2024) the second matrices of LoRA learn faster than the first."""
        optimizer: torch.optim.Optimizer = super().create_optimizer()
        if self._recipe.lora_plus != 1.0:
            fast = {id(value) for name, value in self._tuned.model.named_parameters() if ".lora_B." in name}
            for group in list(optimizer.param_groups):
                faster = [value for value in group["params"] if id(value) in fast]
                group["params"] = [value for value in group["params"] if id(value) not in fast]
                if faster:
                    optimizer.add_param_group({**group, "params": faster, "lr": group["lr"] * self._recipe.lora_plus})
        return optimizer

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy of the answer's tokens."""
        total, learned, logits = answer_loss(self._tuned, inputs)
        loss = total / (num_items_in_batch if num_items_in_batch is not None else learned)
        self.tokens += inputs["input_ids"].numel()
        self.last_loss = float(total.detach()) / max(1, learned)
        if not math.isfinite(self.last_loss):
            raise RunFailure("diverged", f"loss {self.last_loss}")
        if self.dropout is not None:
            self.dropout.forget()
        return (loss, {"logits": logits}) if return_outputs else loss

    def measure(self, rows: Sequence[dict[str, Any]]) -> float:
        """The loss on *rows*, none of which is learned from."""
        size = self._recipe.batch_size
        batches = [
            self._prepare_inputs(self.data_collator(list(rows[begin : begin + size])))
            for begin in range(0, len(rows), size)
        ]
        with self.compute_loss_context_manager():
            return heldout_loss(self._tuned, batches)

    # -- what is learned, and nothing else, is in a checkpoint -----------------------------------------
    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        assert output_dir is not None
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        learned = {name: value.detach().contiguous() for name, value in self._learned().items()}
        save_file(learned, Path(output_dir) / LEARNED)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        here = self._learned()
        for name, value in load_file(Path(resume_from_checkpoint) / LEARNED).items():
            here[name].data.copy_(value)

    def _learned(self) -> dict[str, torch.nn.Parameter]:
        return {name: value for name, value in self._tuned.model.named_parameters() if value.requires_grad}


class Watch(TrainerCallback):
    """Tells how it goes, writes checkpoints by the clock, and stops when asked."""

    def __init__(
        self,
        trainer: DeskTrainer,
        heldout: Sequence[dict[str, Any]],
        files: RunFiles,
        tell: Tell,
        stop: Callable[[], bool],
    ) -> None:
        self._trainer, self._files, self._tell, self._stop = trainer, files, tell, stop
        self._heldout = sorted(heldout, key=lambda row: len(row["input_ids"]))  # little padding
        self._saved = self._told = time.monotonic()
        self._begun: tuple[float, int] | None = None
        self.interrupted = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """After each step."""
        now = time.monotonic()
        if self._begun is None:  # the first step warms up; time left is judged by those after it
            self._begun = (now, state.global_step)
            self._trainer.tokens = 0
        last = state.global_step >= state.max_steps
        if now - self._told >= TELL_EVERY or last or state.global_step == 1:
            self._told = now
            self._tell("step", self._facts(state, now))
        if self._stop():
            self.interrupted = not last
            control.should_training_stop = True
        if (now - self._saved >= SAVE_EVERY or self.interrupted) and not last:
            self._saved = now
            control.should_save = True
        return control

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """After each epoch: now and then the loss on what is held out."""
        epoch = round(state.epoch or 0.0)
        over = state.global_step >= state.max_steps
        if self._heldout and not self.interrupted and (over or is_due(epoch, args.num_train_epochs)):
            begun = time.monotonic()
            loss = round(self._trainer.measure(self._heldout), 4)
            if self._begun is not None:  # speed and time left are those of the steps
                self._begun = (self._begun[0] + time.monotonic() - begun, self._begun[1])
            count = len(self._heldout)
            examples = "1 held-out example" if count == 1 else f"{count} held-out examples"
            body = {"step": state.global_step, "steps": state.max_steps, "epoch": state.epoch, "loss": loss}
            sentence = f"Loss {loss:.3f} on {examples} after epoch {state.epoch or 0.0:g}."
            self._tell("evaluated", body | {"examples": count, "sentence": sentence})
        return control

    def _facts(self, state: TrainerState, now: float) -> dict[str, Any]:
        assert self._begun is not None
        seconds, steps = now - self._begun[0], state.global_step - self._begun[1]
        scheduler = self._trainer.lr_scheduler
        return {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(state.epoch or 0.0, 3),
            "loss": round(self._trainer.last_loss, 4),
            "learning_rate": float(scheduler.get_last_lr()[0]) if scheduler is not None else None,
            "tokens_per_second": round(self._trainer.tokens / seconds, 1) if steps else None,
            "seconds_left": round(seconds / steps * (state.max_steps - state.global_step), 1) if steps else None,
            "peak_memory_bytes": peak_memory(),
        }

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """The checkpoint is written: now mark it, and only then remove the one before it."""
        path = self._files.checkpoints / f"checkpoint-{state.global_step}"
        mark_complete(path)
        self._files.drop_checkpoints(but=path)
        return control


def train(
    tuned: Tuned,
    tokenizer: Any,
    data: Any,
    recipe: Recipe,
    files: RunFiles,
    *,
    heldout: Sequence[dict[str, Any]] = (),
    warm: bool,
    tell: Tell,
    stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train what is trainable of *tuned* on *data*, going on from the newest whole checkpoint, and save it.
    ``heldout``: examples to measure the loss on now and then.

    Returns facts for the card. Raises :class:`Interrupted` (a checkpoint is there) or :class:`RunFailure`."""
    on_gpu = tuned.base.device.type == "cuda"
    args = TrainingArguments(
        output_dir=str(files.checkpoints),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        num_train_epochs=recipe.warm_epochs if warm else recipe.epochs,
        learning_rate=recipe.warm_learning_rate if warm else recipe.rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,  # a value below 1 is a share of all steps
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim=OPTIMIZERS[recipe.optimizer],
        seed=recipe.seed,
        bf16=on_gpu and recipe.precision in ("auto", "bf16"),
        fp16=recipe.precision == "fp16",
        use_cpu=not on_gpu,
        save_strategy="no",  # Watch saves by the clock
        logging_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        average_tokens_across_devices=False,
    )
    trainer = DeskTrainer(
        tuned=tuned,
        args=args,
        train_dataset=data,
        data_collator=Collator(tokenizer.pad_token_id),
        processing_class=tokenizer,
        recipe=recipe,
        lengths=list(data["length"]),
    )
    watch = Watch(trainer, heldout, files, tell, stop)
    trainer.add_callback(watch)
    checkpoint = files.last_checkpoint()
    files.drop_checkpoints(but=checkpoint)
    start = time.monotonic()
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if watch.interrupted:
        raise Interrupted
    seconds = time.monotonic() - start
    trainable = sum(p.numel() for p in tuned.model.parameters() if p.requires_grad)
    tuned.save(files.adapter)
    mark_complete(files.adapter)
    return {
        "train_seconds": round(seconds, 2),
        "steps": trainer.state.global_step,
        "trainable_parameters": trainable,
        "peak_memory_bytes": peak_memory(),
        "last_loss": round(trainer.last_loss, 4),
    }


def peak_memory() -> int:
    """The most memory this process has had, in bytes; on a GPU its own."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    except ImportError:
        return int(psutil.Process().memory_info().rss)
