"""The training process: ``python -m finetune.train.trainer JOB BASE``, the folders of a job and of the base.

A process of its own, so that its memory is all given back before the new version is judged, so that cancelling is a
kill that can't hang, and so that the run can say what happened if the system ends it for want of memory. It knows no
desk: everything it needs is in the job's folder, and everything it makes goes there. Events go to standard output as
JSON lines; the end of standard input asks for a checkpoint and a stop.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.contention import Culprit
from bot.engines.torch.process import private_streams
from bot.traces import describe, print_trace, private_errors
from bot.types import BaseSpec
from finetune.events import Event, Note, Phase, TrainerFailed, to_line
from finetune.failures import RunFailure, kind_of
from finetune.files import JobFiles
from finetune.job import Job, read_job, read_pairs, spread

if TYPE_CHECKING:
    from finetune.train.rows import Cuts
    from finetune.train.setup import Training

INTERRUPTED = 75  # exit code: stopped as asked, with a checkpoint to go on from
FAILED = 1
FITS = 0.8  # of the free memory that 4-bit weights may take unpacked


def run(files: JobFiles, base: Path, emit: Callable[[Event], None], stop: threading.Event) -> None:
    """Do the job in *files* on the base in the folder *base*. Raises :class:`finetune.train.fit.Interrupted` or
    :class:`RunFailure`."""
    import torch

    from bot import contention
    from finetune.train.training import train

    contention.started(
        lambda culprit: emit(Note(starved(culprit))),
        lambda: emit(Note("The processor is free again. Training goes on at full speed.")),
    )
    torch.set_flush_denormal(True)  # global to the process; a CPU is slow at denormals
    training = set_up_job(files, read_job(files), base, emit)
    emit(Phase("training", f"Training on {training.order.rows_per_epoch} examples."))
    emit(train(training, emit, stop.is_set))


def set_up_job(files: JobFiles, job: Job, base: Path, emit: Callable[[Event], None]) -> Training:
    """Load the model and the pairs of *job*. Raises :class:`RunFailure`, also for another base (``base-changed``)."""
    import psutil

    from bot.bases.base import fingerprint, load_tokenizer
    from bot.bases.limits import training_bytes
    from finetune.objectives import objective_of
    from finetune.train.rows import Renderer, learned_rows, longest_text
    from finetune.train.setup import Material, load_for_training, set_up
    from finetune.train.validate import Watched

    recipe = job.recipe
    spec = BaseSpec(str(base), job.base.quantization, job.base.digest)
    if fingerprint(spec) != job.base.fingerprint:
        raise RunFailure("base-changed")
    renderer = Renderer(load_tokenizer(spec.folder), job.system, recipe.max_length)
    rows, cuts = learned_rows(files, read_pairs(files.learned), renderer, objective_of(recipe))
    if all(rows["replayed"]):  # so also without any row
        raise RunFailure("nothing-to-learn")
    if (sentence := shortened(cuts)) is not None:
        emit(Note(sentence))
    pairs = list(read_pairs(files.watched))
    asked = spread(pairs, recipe.bleu_questions) if recipe.bleu_questions else []
    longest = longest_text(rows)
    dense = training_bytes(spec.folder, spec.quantization, longest * recipe.batch_size, recipe.r, dense=True)
    unpack = spec.quantization == "nf4" and dense < FITS * psutil.virtual_memory().available
    tuned, tokenizer = load_for_training(spec, recipe, job.system, longest=longest, unpack=unpack)
    if job.warm:
        tuned.warm_start(files.parent)
    watched = Watched(renderer.rows(pairs), asked, job.system, job.watched)
    corrections = [pair for pair in read_pairs(files.learned) if pair.wrong]
    corrected = renderer.corrected(spread(corrections))
    material = Material(rows, watched, files, cuts, corrected, unpack)
    return set_up(tuned, tokenizer, recipe, material, warm=job.warm)


def shortened(cuts: Cuts) -> str | None:
    """What an operator is told of pairs that were too long; None if there were none."""
    if not (cuts.history or cuts.output or cuts.dropped):
        return None
    return (
        f"To fit max_length, {cuts.history} pairs lost old history, {cuts.output} the end of their answer (they teach "
        f"no end), and {cuts.dropped} were left out."
    )


def starved(culprit: Culprit | None) -> str:
    """What an operator is told while others use the processor."""
    if culprit is None:
        return "Other programs use the processor. Training goes on more slowly."
    cores = f"{culprit.share:.1f} cores" if culprit.share >= 1.05 else f"{100 * culprit.share:.0f} % of a core"
    return f"{culprit.name} (process {culprit.pid}) uses {cores}. Training goes on more slowly until it is done."


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Path)
    parser.add_argument("base", type=Path)
    args = parser.parse_args()
    requests, events = private_streams()
    private_errors()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    stop = threading.Event()

    def listen() -> None:
        while requests.readline():
            pass
        stop.set()

    def emit(event: Event) -> None:
        try:
            events.write(to_line(event))
            events.flush()
        except OSError:  # nobody listens any more: save and stop
            stop.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        run(JobFiles(args.job), args.base, emit, stop)
    except BaseException as error:
        from finetune.train.fit import Interrupted

        if isinstance(error, Interrupted):
            return INTERRUPTED
        print_trace(error)
        emit(TrainerFailed(kind_of(error), describe(error)))
        return FAILED
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.write(json.dumps({"exit": code}) + "\n")
    sys.stderr.flush()
    os._exit(code)  # torch's threads take seconds to wind down, and everything is written
