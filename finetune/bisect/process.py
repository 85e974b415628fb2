"""The process that compares gradients: ``python -m finetune.bisect.process``.

A process of its own: it needs torch and a base held for training, and ending it gives all of that back. It reads one
:class:`finetune.bisect.wire.Asked` from standard input and answers on standard output; it knows no desk, and keeps
nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from bot.engines.torch.process import private_streams
from bot.traces import describe, print_trace, private_errors
from bot.types import BaseSpec
from finetune.bisect.wire import Asked, Broke, Compared, Found, Said
from finetune.failures import kind_of
from finetune.recipe import Recipe
from finetune.recipe_values import recorded_recipe

NICENESS = 10  # the chat goes first


def compare(asked: Asked, say: Callable[[Said], None]) -> None:
    """Load the version as a training would, and compare."""
    import psutil

    from bot import contention
    from bot.bases.base import load_tokenizer
    from bot.bases.limits import training_bytes
    from finetune.bisect.gradients import cosines
    from finetune.train.rows import Renderer
    from finetune.train.setup import load_for_training
    from finetune.train.trainer import FITS

    contention.started()
    recipe = readable(recorded_recipe(asked.recipe))
    spec = BaseSpec(asked.base, asked.quantization, asked.digest)
    renderer = Renderer(load_tokenizer(spec.folder), asked.system, recipe.max_length)
    wrong, *rows = (renderer.row(pair)[0] for pair in (asked.wrong, *asked.pairs))
    if wrong is None:
        raise ValueError("nothing of the reply fits into max_length")
    longest = max(row["length"] for row in (wrong, *rows) if row is not None)
    dense = training_bytes(spec.folder, spec.quantization, longest, recipe.r, dense=True)
    unpack = spec.quantization == "nf4" and dense < FITS * psutil.virtual_memory().available
    tuned, _ = load_for_training(spec, recipe, asked.system, longest=longest, unpack=unpack)
    tuned.warm_start(Path(asked.adapter))
    say(Found(tuple(cosines(tuned, wrong, rows, lambda done: say(Compared(done))))))


def readable(recipe: Recipe) -> Recipe:
    """The recipe whose method takes up what that of *recipe* published: of a prefix the network that made it is gone,
    and its vectors are those of P-Tuning v2."""
    quick = replace(recipe, checkpointing=False, packing=False)
    return replace(quick, method="ptuning-v2") if recipe.method == "prefix" else quick


def main() -> int:
    """Entry point."""
    requests, events = private_streams()
    private_errors()
    os.nice(NICENESS)
    for name, value in (
        ("HF_HUB_OFFLINE", "1"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("TRANSFORMERS_VERBOSITY", "error"),
        ("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1"),
    ):
        os.environ.setdefault(name, value)

    def say(said: Said) -> None:
        events.write(msgspec.json.encode(said) + b"\n")
        events.flush()

    try:
        compare(msgspec.json.decode(requests.readline(), type=Asked), say)
    except BaseException as error:
        print_trace(error)
        say(Broke(kind_of(error), describe(error)))
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # torch's threads take seconds to wind down
