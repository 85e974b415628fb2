"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext

from finetune.failures import RunFailure
from finetune.objectives.answers import Batch
from finetune.train.checkpoints import save_checkpoint
from finetune.train.monitor import Monitor
from finetune.train.progress import Progress, StepTaken, TaughtShare, Validation
from finetune.train.setup import Training
from finetune.train.validate import answers_bleu, heldout_loss, taught_rows

AGAIN = 0.5  # of the full rate: from where it falls again, if not all is taught when it is down
SAVE_EVERY = 30.0  # seconds between checkpoints: what a power cut costs at most


class Interrupted(Exception):
    """Training was asked to stop and has left a checkpoint to go on from."""


def fit(training: Training, progress: Progress, monitor: Monitor) -> None:
    """Take the steps that are left, with validations and checkpoints where they are due; *progress* goes along.

    Raises :class:`Interrupted` where *monitor* is told to stop, and :class:`RunFailure` (``diverged``)."""
    recipe, plan = training.recipe, training.plan
    saved = time.monotonic()
    training.tuned.model.train()
    look(training, progress, monitor)  # what an interruption left out
    for batches in training.steps_after(progress.step):
        if progress.stopped_early or progress.step == plan.last(progress.falls):
            break
        taken = take_step(training, batches)
        progress.step += 1
        monitor.report_step(progress, taken, training.schedule.get_last_lr()[0])
        last = progress.step == plan.last(progress.falls)
        if monitor.stop_wanted and not last:
            save_checkpoint(training, progress)
            raise Interrupted
        decided = look(training, progress, monitor)
        last = progress.step == plan.last(progress.falls)
        every = recipe.save_every
        due = progress.step % every == 0 if every else time.monotonic() - saved >= SAVE_EVERY
        if (due or decided) and not last:
            save_checkpoint(training, progress)
            saved = time.monotonic()


def take_step(training: Training, batches: Sequence[Batch]) -> StepTaken:
    """Learn from *batches*, which make one step however many they are.

    Raises :class:`RunFailure` (``diverged``) before a loss that is no number does any harm."""
    accelerator, tuned = training.accelerator, training.tuned
    loss = 0.0
    with accelerator.autocast():
        part_of = training.objective.step(tuned, batches)
    for number, batch in enumerate(batches, start=1):
        with nullcontext() if number == len(batches) else accelerator.no_sync(tuned.model):
            with accelerator.autocast():
                part = part_of(batch)
            loss += float(part.detach())
            if not math.isfinite(loss):
                raise RunFailure("diverged", f"loss {loss}")
            accelerator.backward(part)
        if training.dropout is not None:
            training.dropout.forget()
    norm = accelerator.clip_grad_norm_(tuned.model.parameters(), training.recipe.max_grad_norm)
    training.optimizer.step()
    training.schedule.step()
    training.optimizer.zero_grad()
    return StepTaken(loss, float(norm), sum(batch["input_ids"].numel() for batch in batches))


def look(training: Training, progress: Progress, monitor: Monitor) -> bool:
    """If it is time for that, look what is taught, and how it does on what it does not learn from. Returns whether that
    decides anything: then it must be in a checkpoint before anything goes on from it."""
    taught = ask_taught(training, progress, monitor)
    return validate(training, progress, monitor) or taught


def ask_taught(training: Training, progress: Progress, monitor: Monitor) -> bool:
    """At the end of an epoch, ask what is taught so far. Once it is all, the rate goes down soon; where it is down and
    not all is taught, it falls again. Returns whether anything is decided."""
    plan, step, falls, schedule = training.plan, progress.step, progress.falls, training.schedule.scheduler
    if not plan.until_taught:
        return False
    if not falls:
        falls.append((0, plan.usual))
    is_down = step == falls[-1][1]
    if not is_down and (progress.closing or not plan.ends_epoch(step)):
        return False
    if not progress.is_asked:
        progress.taught.append(taught_so_far(training, step, monitor))
        monitor.report_taught(progress.taught[-1])
    is_taught = progress.taught[-1].share >= training.recipe.taught
    if is_taught and not is_down:
        progress.closing = True
        falls.append(plan.closing(step, falls[-1]))
        schedule.fall(*falls[-1])
    elif is_down and not is_taught and step < plan.steps:
        progress.closing = False
        falls.append(plan.again(step))
        schedule.fall(*falls[-1], AGAIN)
    return True


def taught_so_far(training: Training, step: int, monitor: Monitor) -> TaughtShare:
    """What the model knows of the questions that are asked."""
    asked = training.asked
    with monitor.validating(), training.accelerator.autocast():
        known, new = (taught_rows(training.tuned, training.taught_batches(rows)) for rows in (asked.rows, asked.new))
    return TaughtShare(step, len(asked.rows), known, len(asked.new), new)


def validate(training: Training, progress: Progress, monitor: Monitor) -> bool:
    """If it is time for that, see how the training does on pairs it does not learn from, keep its weights if they are
    the best so far, and call for its end if they have not been for long. Returns whether that decides anything: then
    it must be in a checkpoint before anything goes on from it."""
    recipe, watched = training.recipe, training.material.watched
    last = training.plan.last(progress.falls)
    due = training.plan.validates_after(progress.step, progress.falls)
    if not watched.rows or progress.is_validated or not due:
        return False
    with monitor.validating(), training.accelerator.autocast():
        loss = heldout_loss(training.tuned, training.watched_batches())
        bleu = None
        if recipe.bleu_questions:
            bleu = answers_bleu(training.tuned, training.tokenizer, watched.pairs, watched.system)
    found = Validation(progress.step, loss, bleu)
    progress.validations.append(found)
    monitor.report_validation(found, watched)
    best = progress.best(recipe.best_by)
    assert best is not None
    if recipe.keep_best and best is found:
        training.save_learned(training.material.files.best(found.step))
    without_better = sum(other.step > best.step for other in progress.validations)
    if recipe.early_stopping and without_better >= recipe.early_stopping and progress.step < last:
        progress.stopped_early = True
        measured = best.bleu if recipe.best_by == "bleu" else best.loss
        monitor.note(
            f"Stopped after step {progress.step}: nothing bettered the {recipe.best_by} {measured:.3f} of step "
            f"{best.step}."
        )
    return recipe.keep_best or recipe.early_stopping > 0
