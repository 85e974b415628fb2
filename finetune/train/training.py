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

from bot.bases.base import load_base
from bot.types import BaseSpec
from finetune.failures import RunFailure
from finetune.files import RunFiles, mark_complete
from finetune.methods import METHODS, Tuned
from finetune.recipe import Recipe
from finetune.train.dataset import Collator, LengthBuckets
from finetune.train.evaluation import Watched, answer_loss, answers_bleu, heldout_loss, is_due
from finetune.train.frozen import unpack_frozen
from finetune.train.lora_kernel import SharedDropout, install
from finetune.train.speed import ceiling, learned_share, padding_share

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
        self._lengths = lengths
        step = recipe.batch_size * recipe.gradient_accumulation
        self._buckets = LengthBuckets(lengths, step, recipe.seed, sort=recipe.bucketing, grow=recipe.grow)
        self.dropout: SharedDropout | None = install(self.model)
        self.last_loss = self.gradient_norm = math.nan
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

    def padding_share(self) -> float:
        """Of all places of an epoch's batches those that hold no token."""
        return padding_share(self._lengths, list(self._buckets), self._recipe.batch_size)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Kept, since a gradient that is always cut, or is nothing, says why a loss does not fall."""
        found = super()._get_grad_norm(model, grad_norm=grad_norm)
        self.gradient_norm = float(found)
        return found

    def bleu(self, watched: Watched) -> float:
        """BLEU of the answers to the questions of *watched*."""
        with self.compute_loss_context_manager():
            return answers_bleu(self._tuned, self.processing_class, watched.pairs, watched.system)

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
        self.save_learned(Path(output_dir) / LEARNED)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.load_learned(Path(resume_from_checkpoint) / LEARNED)

    def save_learned(self, path: Path) -> None:
        """Write the weights that are trained."""
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: value.detach().contiguous() for name, value in self._learned().items()}, path)

    def load_learned(self, path: Path) -> None:
        """Go back to weights that were written."""
        here = self._learned()
        for name, value in load_file(path).items():
            here[name].data.copy_(value)

    def _learned(self) -> dict[str, torch.nn.Parameter]:
        return {name: value for name, value in self._tuned.model.named_parameters() if value.requires_grad}


class Watch(TrainerCallback):
    """Tells how it goes, looks at pairs that are not learned from, writes checkpoints, and stops when asked or when
    looks get no better. The looks are kept in the trainer's own history, which checkpoints hold."""

    def __init__(
        self,
        trainer: DeskTrainer,
        recipe: Recipe,
        watched: Watched,
        files: RunFiles,
        tell: Tell,
        stop: Callable[[], bool],
    ) -> None:
        self._trainer, self._recipe, self._files, self._tell, self._stop = trainer, recipe, files, tell, stop
        self._watched = watched
        self._rows = sorted(watched.rows, key=lambda row: len(row["input_ids"]))  # little padding
        self._saved = self._told = time.monotonic()
        self._begun: tuple[float, int] | None = None
        self.interrupted = self.stopped_early = False
        self.looking_seconds = 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """A look that was due when the run was interrupted."""
        every = self._recipe.evaluate_every
        if every and state.global_step and state.global_step % every == 0:
            self._look(state, control)
        return control

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
        if (every := self._recipe.evaluate_every) and state.global_step % every == 0:
            self._look(state, control)
        every = self._recipe.save_every
        due = state.global_step % every == 0 if every else now - self._saved >= SAVE_EVERY
        if (due or self.interrupted) and not last:
            self._saved = now
            control.should_save = True
        return control

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        """After each epoch."""
        epoch = round(state.epoch or 0.0)
        over = state.global_step >= state.max_steps
        if over or (not self._recipe.evaluate_every and is_due(epoch, args.num_train_epochs)):
            self._look(state, control)
        return control

    # -- looks ---------------------------------------------------------------------------------------
    def _look(self, state: TrainerState, control: TrainerControl) -> None:
        """Measure how the run does; keep what is the best so far, and stop where nothing gets better."""
        looks = _looks(state)
        if not self._rows or self.interrupted or (looks and looks[-1]["step"] == state.global_step):
            return
        begun = time.monotonic()
        look: dict[str, Any] = {"step": state.global_step, "look": True, "loss": self._trainer.measure(self._rows)}
        if self._recipe.bleu_questions:
            look["bleu"] = self._trainer.bleu(self._watched)
        seconds = time.monotonic() - begun
        self.looking_seconds += seconds
        if self._begun is not None:  # speed and time left are those of the steps
            self._begun = (self._begun[0] + seconds, self._begun[1])
        state.log_history.append(look)
        looks.append(look)
        self._tell("evaluated", self._look_facts(state, look))
        best = self._best(looks)
        since = sum(other["step"] > best["step"] for other in looks)
        last = state.global_step >= state.max_steps
        if self._recipe.keep_best and since == 0:
            self._trainer.save_learned(self._files.best(state.global_step))
        if self._recipe.early_stopping and since >= self._recipe.early_stopping and not last:
            self.stopped_early = True
            control.should_training_stop = True
            found = f"{self._recipe.best_by} {best[self._recipe.best_by]:.3f} of step {best['step']}"
            self._tell("note", {"sentence": f"Stopped after step {state.global_step}: nothing bettered the {found}."})
        if self._recipe.keep_best or self._recipe.early_stopping:
            control.should_save = not last  # what was decided is in a checkpoint before anything goes on from it

    def _look_facts(self, state: TrainerState, look: dict[str, Any]) -> dict[str, Any]:
        count = len(self._rows)
        examples = f"1 {self._watched.kind} example" if count == 1 else f"{count} {self._watched.kind} examples"
        sentence = f"Loss {look['loss']:.3f} on {examples} after epoch {state.epoch or 0.0:.3g}"
        body = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": state.epoch,
            "loss": round(look["loss"], 4),
        }
        if "bleu" in look:
            body["bleu"] = round(look["bleu"], 2)
            sentence += f", BLEU {look['bleu']:.1f} of {len(self._watched.pairs)} answers"
        return body | {"examples": count, "pairs": self._watched.kind, "sentence": f"{sentence}."}

    def _best(self, looks: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The best look, of equal ones the first."""
        sign = -1 if self._recipe.best_by == "bleu" else 1
        return min(looks, key=lambda look: (sign * look[self._recipe.best_by], look["step"]))

    @property
    def tokens_per_second(self) -> float | None:
        """Places computed a second over all steps but the first; None if there was but one."""
        if self._begun is None or not self._trainer.tokens:
            return None
        return round(self._trainer.tokens / max(1e-9, time.monotonic() - self._begun[0]), 1)

    def best_step(self, state: TrainerState) -> int | None:
        """The step of the best look; None where there was none."""
        looks = _looks(state)
        return int(self._best(looks)["step"]) if looks else None

    def _facts(self, state: TrainerState, now: float) -> dict[str, Any]:
        assert self._begun is not None
        seconds, steps = now - self._begun[0], state.global_step - self._begun[1]
        scheduler = self._trainer.lr_scheduler
        return {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(state.epoch or 0.0, 3),
            "loss": round(self._trainer.last_loss, 4),
            "gradient_norm": round(self._trainer.gradient_norm, 4),
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
        if (best := self.best_step(state)) is not None:
            self._files.drop_best(but=best)
        return control


def _looks(state: TrainerState) -> list[dict[str, Any]]:
    return [entry for entry in state.log_history if entry.get("look")]


def train(
    tuned: Tuned,
    tokenizer: Any,
    data: Any,
    recipe: Recipe,
    files: RunFiles,
    *,
    watched: Watched,
    warm: bool,
    tell: Tell,
    stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train what is trainable of *tuned* on *data*, going on from the newest whole checkpoint, and save it.
    ``watched``: what to look at now and then.

    Returns facts for the card. Raises :class:`Interrupted` (a checkpoint is there) or :class:`RunFailure`."""
    on_gpu = tuned.base.device.type == "cuda"
    args = TrainingArguments(
        output_dir=str(files.checkpoints),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        num_train_epochs=recipe.warm_epochs if warm else recipe.epochs,
        max_steps=recipe.steps or -1,
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
        save_strategy="no",  # Watch says when
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
        data_collator=Collator(tokenizer.pad_token_id, packed=recipe.packing),
        processing_class=tokenizer,
        recipe=recipe,
        lengths=list(data["length"]),
    )
    watch = Watch(trainer, recipe, watched, files, tell, stop)
    trainer.add_callback(watch)
    checkpoint = files.last_checkpoint()
    files.drop_checkpoints(but=checkpoint)
    possible = ceiling(tuned, learned_share(data))
    start, worked = time.monotonic(), time.process_time()
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if watch.interrupted:
        raise Interrupted
    seconds = time.monotonic() - start
    cpu_share = (time.process_time() - worked) / (seconds * torch.get_num_threads())
    best = watch.best_step(trainer.state)
    if recipe.keep_best and best is not None and best != trainer.state.global_step:
        trainer.load_learned(files.best(best))
        tell("note", {"sentence": f"The weights of step {best} are kept, which did best."})
    trainable = sum(p.numel() for p in tuned.model.parameters() if p.requires_grad)
    tuned.save(files.adapter)
    mark_complete(files.adapter)
    return {
        "train_seconds": round(seconds, 2),
        "steps": trainer.state.global_step,
        "trainable_parameters": trainable,
        "peak_memory_bytes": peak_memory(),
        "last_loss": round(trainer.last_loss, 4),
        "best_step": best if recipe.keep_best else None,
        "stopped_early": watch.stopped_early,
        "looking_seconds": round(watch.looking_seconds, 2),
        "tokens_per_second": watch.tokens_per_second,
        "ceiling_tokens_per_second": round(possible, 1),
        "padding_share": 0.0 if recipe.packing else round(trainer.padding_share(), 3),
        "cpu_share": None if on_gpu else round(cpu_share, 3),
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
