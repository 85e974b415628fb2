"""Training beside one other busy program: deskloop's own step on the starter, A B A B, in one sitting.

    python -m benchmarks busy                     calm and beside one busy core, with and without the watch
    python -m benchmarks busy --rounds 3 --seconds 30

Each figure is a process of its own at a run's niceness. The busy program is one Python loop in a session of its own,
as another terminal's would be. `watch` is what a retraining does (`bot/contention.py`), `spin` the same without it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.common import machine, markdown_table, starter, write_result

BATCH, TOKENS, ANSWER = 8, 96, 48  # a usual batch of the sample desk
WARM_UP = 8.0  # seconds before the count begins: the watch has made up its mind by then


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="how often every figure is taken")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each figure is taken")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--loop", choices=("watch", "spin"), help=argparse.SUPPRESS)
    return parser.parse_args()


def loop(base: Path, seconds: float, watch: bool) -> None:
    """Train on the same batch over and over, and print places computed a second."""
    import torch

    from bot import contention
    from bot.types import BaseSpec
    from finetune.objectives.answers import answer_loss
    from finetune.recipe import Recipe
    from finetune.run.worker import NICENESS
    from finetune.train.setup import load_for_training

    os.nice(NICENESS)
    torch.manual_seed(0)
    tuned, _ = load_for_training(BaseSpec(str(base), "nf4"), Recipe(), "", longest=TOKENS, unpack=True)
    if watch:
        contention.started()
    ids = torch.randint(5, 40_000, (BATCH, TOKENS))
    labels = ids.clone()
    labels[:, : TOKENS - ANSWER] = -100
    inputs = {"input_ids": ids, "labels": labels, "attention_mask": torch.ones_like(ids)}
    optimizer = torch.optim.AdamW([value for value in tuned.model.parameters() if value.requires_grad], fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            total, learned = answer_loss(tuned, inputs)
        (total / learned).backward()
        optimizer.step()
        optimizer.zero_grad()

    begun = time.perf_counter()
    while time.perf_counter() - begun < WARM_UP:
        step()
    begun, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - begun < seconds:
        step()
        steps += 1
    print(BATCH * TOKENS * steps / (time.perf_counter() - begun), flush=True)
    os._exit(0)  # torch's threads take their time


@contextmanager
def busy_core() -> Iterator[None]:
    """One other program that computes without a pause."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    try:
        yield
    finally:
        other.kill()
        other.wait()


def speed(mode: str, base: Path, seconds: float) -> float:
    """Places a second in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "busy", "--loop", mode, "--seconds", str(seconds)]
    done = subprocess.run([*command, "--base", str(base)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure, or be measured."""
    chosen = options()
    base = chosen.base or starter()
    if chosen.loop:
        loop(base, chosen.seconds, chosen.loop == "watch")
    facts = machine()
    figures: dict[tuple[str, str], list[float]] = {}
    for _ in range(chosen.rounds):
        for mode in ("spin", "watch"):
            figures.setdefault((mode, "calm"), []).append(speed(mode, base, chosen.seconds))
        with busy_core():
            for mode in ("spin", "watch"):
                figures.setdefault((mode, "busy"), []).append(speed(mode, base, chosen.seconds))
    today = median(figures["spin", "calm"])
    rows = []
    for mode, name in (("spin", "OpenMP as it comes"), ("watch", "deskloop")):
        calm, busy = median(figures[mode, "calm"]), median(figures[mode, "busy"])
        rows.append(
            {
                "threads": name,
                "calm": f"{calm:.0f} tokens/s",
                "beside a busy core": f"{busy:.0f} tokens/s",
                "busy / calm": f"{busy / calm:.2f}",
                "calm / calm as it comes": f"{calm / today:.2f}",
            }
        )
    taken = {f"{mode}, {state}": values for (mode, state), values in figures.items()}
    text = "# Training beside a busy core\n\n`python -m benchmarks busy`, medians of "
    text += f"{chosen.rounds} figures each.\n\n{markdown_table(rows)}"
    write_result("busy", {"machine": facts, "tokens_per_second": taken}, text)


if __name__ == "__main__":
    main()
