"""The training process: ``python -m finetune.train.trainer``, a child of the run process.

A process of its own, so that its memory is all given back before the new version is judged, so that cancelling is a
kill that can't hang, and so that the run can say what happened if the system ends it for want of memory. Events go to
standard output as JSON lines; the end of standard input asks for a checkpoint and a stop.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from bot.contention import Culprit
from bot.engines.torch.process import private_streams
from bot.traces import describe, print_trace, private_errors
from bot.types import BaseSpec
from bot.wire import decode, encode
from finetune.failures import RunFailure, kind_of

INTERRUPTED = 75  # exit code: stopped as asked, with a checkpoint to go on from
FAILED = 1


def run(job: dict[str, Any], tell: Any, stop: threading.Event) -> None:
    """Do the training that *job* describes: home, run, base, recipe, system, parent folder or None."""
    import psutil
    import torch

    from bot import contention
    from bot.bases.base import load_tokenizer
    from bot.bases.limits import training_bytes
    from finetune.files import RunFiles
    from finetune.recipe import Recipe
    from finetune.train.dataset import build_dataset
    from finetune.train.evaluation import Watched, spread
    from finetune.train.training import load_for_training, train
    from store.desk import Desk

    contention.started(
        lambda culprit: tell("note", {"sentence": starved(culprit)}),
        lambda: tell("note", {"sentence": "The processor is free again. Training goes on at full speed."}),
    )
    torch.set_flush_denormal(True)  # global to the process; a CPU is slow at denormals
    recipe = Recipe(**job["recipe"])
    spec = BaseSpec(**job["base"])
    with Desk.open(job["home"], create=False) as desk:
        snapshot = desk.runs.snapshot(job["run"])
        files = RunFiles.of(desk.home, job["run"])
    data, cuts = build_dataset(load_tokenizer(spec.folder), snapshot.train, job["system"], recipe.max_length)
    looked_at = snapshot.validation or spread(snapshot.heldout)
    rows, _ = build_dataset(
        load_tokenizer(spec.folder), [(pair, 1) for pair in looked_at], job["system"], recipe.max_length
    )
    watched = Watched(
        list(rows),
        spread(looked_at, recipe.bleu_questions) if recipe.bleu_questions else [],
        job["system"],
        "validation" if snapshot.validation else "held-out",
    )
    if len(data) == 0:
        raise RunFailure("nothing-to-learn")
    if cuts.history or cuts.output or cuts.dropped:
        sentence = (
            f"To fit max_length, {cuts.history} pairs lost old history, {cuts.output} the end of their answer "
            f"(they teach no end), and {cuts.dropped} were left out."
        )
        tell("note", {"sentence": sentence})
    longest = max(data["length"])
    dense = training_bytes(spec.folder, spec.quantization, longest * recipe.batch_size, recipe.r, dense=True)
    unpack = spec.quantization == "nf4" and dense < 0.8 * psutil.virtual_memory().available
    tuned, tokenizer = load_for_training(spec, recipe, job["system"], longest=longest, unpack=unpack)
    if job["parent"] is not None:
        tuned.warm_start(Path(job["parent"]))
    tell("phase", {"phase": "training", "sentence": f"Training on {len(data)} examples."})
    warm = job["parent"] is not None
    facts = train(tuned, tokenizer, data, recipe, files, watched=watched, warm=warm, tell=tell, stop=stop.is_set)
    facts["trainable_share"] = facts["trainable_parameters"] / tuned.base.num_parameters()
    facts["unpacked"] = unpack
    facts["examples"], facts["cuts"] = len(data), [cuts.history, cuts.output, cuts.dropped]
    tell("trained", facts)


def starved(culprit: Culprit | None) -> str:
    """What an operator is told while others use the processor."""
    if culprit is None:
        return "Other programs use the processor. Training goes on more slowly."
    cores = f"{culprit.share:.1f} cores" if culprit.share >= 1.05 else f"{100 * culprit.share:.0f} % of a core"
    return f"{culprit.name} (process {culprit.pid}) uses {cores}. Training goes on more slowly until it is done."


def main() -> int:
    """Entry point: the job is the first line of standard input."""
    requests, events = private_streams()
    private_errors()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    job = decode(requests.readline())
    stop = threading.Event()

    def watch() -> None:
        while requests.readline():
            pass
        stop.set()

    def tell(kind: str, body: dict[str, Any]) -> None:
        try:
            events.write(encode({"kind": kind, "body": body}))
            events.flush()
        except OSError:  # nobody listens any more: save and stop
            stop.set()

    threading.Thread(target=watch, daemon=True).start()
    try:
        run(job, tell, stop)
    except BaseException as error:
        from finetune.train.training import Interrupted

        if isinstance(error, Interrupted):
            return INTERRUPTED
        print_trace(error)
        tell("trainer-failed", {"kind": kind_of(error), "detail": describe(error)})
        return FAILED
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.write(json.dumps({"exit": code}) + "\n")
    sys.stderr.flush()
    os._exit(code)  # torch's threads take seconds to wind down, and everything is written
