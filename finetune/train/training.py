"""One training, from what was set up to the adapter: fit, then save."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from finetune.events import Trained
from finetune.files import mark_complete
from finetune.train.checkpoints import go_on
from finetune.train.fit import fit
from finetune.train.monitor import Emit, Monitor, peak_memory
from finetune.train.preferred import preferred
from finetune.train.progress import Progress
from finetune.train.setup import Training
from finetune.train.speed import ceiling, learned_share, padding_share


def train(training: Training, emit: Emit, stop: Callable[[], bool]) -> Trained:
    """Train from the newest whole checkpoint on, and save what was learned. *stop* is asked after every step whether it
    shall leave a checkpoint and end.

    Returns what it found out about itself. Raises :class:`finetune.train.fit.Interrupted` or
    :class:`finetune.failures.RunFailure`."""
    possible = ceiling(training.tuned, learned_share(training.material.rows))
    progress = go_on(training)
    monitor = Monitor(training.plan, emit, stop)
    fit(training, progress, monitor)
    facts = _facts(training, progress, monitor, possible)
    _save(training, progress, monitor, facts)
    if facts.preferred is not None:
        monitor.note("It finds {} of {} corrections likelier than the replies they replaced.".format(*facts.preferred))
    return facts


def _facts(training: Training, progress: Progress, monitor: Monitor, possible: float) -> Trained:
    recipe, material = training.recipe, training.material
    on_gpu = training.accelerator.device.type == "cuda"
    best = progress.best(recipe.best_by)
    trainable = sum(value.numel() for value in training.learned().values())
    padding = 0.0
    if not recipe.packing:
        order = training.order.of_epoch(int(training.plan.epoch(progress.step - 1)))
        padding = padding_share([tokens for _, tokens in order], recipe.batch_size)
    return Trained(
        train_seconds=round(monitor.seconds, 2),
        steps=progress.step,
        examples=training.order.rows_per_epoch,
        cuts=(material.cuts.history, material.cuts.output, material.cuts.dropped),
        last_loss=None if monitor.loss is None else round(monitor.loss, 4),
        best_step=best.step if recipe.keep_best and best is not None else None,
        stopped_early=progress.stopped_early,
        trainable_parameters=trainable,
        trainable_share=trainable / training.tuned.base.num_parameters(),
        unpacked=material.unpacked,
        peak_memory_bytes=peak_memory(),
        looking_seconds=round(monitor.validating_seconds, 2),
        tokens_per_second=monitor.tokens_per_second,
        ceiling_tokens_per_second=round(possible, 1),
        padding_share=round(padding, 3),
        cpu_share=None if on_gpu else round(monitor.processor_share, 3),
        preferred=preferred(training),
    )


def _save(training: Training, progress: Progress, monitor: Monitor, facts: Trained) -> None:
    """Write the adapter as it is to be published; it is whole only once the facts are written too."""
    files, best = training.material.files, facts.best_step
    if best is not None and best != progress.step:
        training.load_learned(files.best(best))
        monitor.note(f"The weights of step {best} are kept, which did best.")
    training.tuned.save(files.adapter)
    files.facts.touch(mode=0o600)
    files.facts.write_bytes(msgspec.json.encode(facts))
    mark_complete(files.adapter)
