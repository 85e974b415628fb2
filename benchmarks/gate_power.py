"""How often the gate is wrong, by number of held-out pairs: the reason behind the numbers in GateMargins.

    python -m benchmarks gate_power [--data PAIRS.jsonl] [--trials 300]

A desk of the different answers in PAIRS.jsonl is simulated. The active version says the right answer to a question with
probability 0.85 and a wrong one of the same desk otherwise; the candidate repeats the active version's answer to 80% of
the questions (retraining moves only some) and draws anew for the rest, so that its share of right answers is lower by a
given amount. Two rules are counted: the gate's own verdict on one language, and for small sets what other values of the
large drop would have blocked.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, canned, markdown_table
from finetune.gate.comparison import bootstrap_interval, randomisation_p
from finetune.gate.margins import GateMargins
from finetune.gate.scores import Metric
from finetune.gate.verdict import Evidence, decide

QUALITY, KEPT = 0.85, 0.8
SIZES = (5, 10, 15, 20, 40, 80, 100, 200)
LOSSES = (0.0, 0.05, 0.1, 0.2, 0.5)  # of the share of right answers
LARGE_DROPS = (10.0, 15.0, 20.0, 30.0)


class Desk:
    """The answers of a desk and the BLEU counts of each as an answer to each other's question."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        metric = Metric("13a")
        self.bleu, self.chrf = metric.bleu, metric.chrf
        size = len(self.answers)
        targets = [target for target in self.answers for _ in range(size)]
        measured = metric.measure(targets, self.answers * size)
        self.bleu_counts = np.array(measured.bleu_counts).reshape(size, size, -1)
        self.chrf_counts = np.array(measured.chrf_counts).reshape(size, size, -1)


def draw(desk: Desk, n: int, loss: float, rng: random.Random) -> tuple[list[int], list[int], list[int]]:
    """Targets, the active version's answers and the candidate's, as numbers of answers."""
    everything = range(len(desk.answers))
    redrawn = QUALITY - loss / (1 - KEPT)  # quality of the redrawn answers, so that the mean comes out right
    kept = KEPT
    if redrawn < 0:
        redrawn, kept = 0.0, 1 - loss / QUALITY
    targets = [rng.choice(everything) for _ in range(n)]
    active = [target if rng.random() < QUALITY else rng.choice(everything) for target in targets]
    candidate = [
        answer if rng.random() < kept else target if rng.random() < redrawn else rng.choice(everything)
        for target, answer in zip(targets, active, strict=True)
    ]
    return targets, active, candidate


def simulate(desk: Desk, n: int, loss: float, trials: int, margins: GateMargins) -> dict[str, float]:
    """Shares of *trials* that end in each verdict, and that each large drop would block."""
    rng = random.Random(f"{n}/{loss}")
    counted: dict[str, float] = dict.fromkeys(["promote", "reject", "inconclusive"], 0)
    counted |= {f"drop {drop:g}": 0 for drop in LARGE_DROPS}
    for _ in range(trials):
        targets, active, candidate = draw(desk, n, loss, rng)
        one, other = desk.bleu_counts[targets, active], desk.bleu_counts[targets, candidate]
        difference = desk.bleu(other.sum(axis=0).tolist()) - desk.bleu(one.sum(axis=0).tolist())
        chrf = desk.chrf(desk.chrf_counts[targets, candidate].sum(axis=0).tolist()) - desk.chrf(
            desk.chrf_counts[targets, active].sum(axis=0).tolist()
        )
        p = randomisation_p(one, other, desk.bleu, margins.samples, margins.seed)
        low = bootstrap_interval(one, other, desk.bleu, margins)[0] if n >= margins.interval_pairs else None
        decision = decide(Evidence(n, difference, chrf, p, low), margins)
        counted[{"pass": "promote", "worse": "reject"}.get(decision, "inconclusive")] += 1
        for drop in LARGE_DROPS:
            counted[f"drop {drop:g}"] += min(difference, chrf) <= -drop
    return {name: count / trials for name, count in counted.items()}


def main() -> None:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="JSONL with `output`; by default the canned held-out pairs")
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--samples", type=int, default=200, help="trials of each test; the gate itself takes more")
    options = parser.parse_args()
    data = options.data or canned("heldout.jsonl")
    answers = sorted({json.loads(line)["output"] for line in data.read_text(encoding="utf-8").splitlines() if line})
    margins = GateMargins(samples=options.samples)
    desk, rows = Desk(answers), []
    for n in SIZES:
        for loss in LOSSES:
            shares = simulate(desk, n, loss, options.trials, margins)
            rows.append(
                {"held-out": str(n), "right answers lost": f"{loss:.0%}"} | {k: f"{v:.2f}" for k, v in shares.items()}
            )
            print(rows[-1], flush=True)
    text = (
        f"# Verdicts of the gate on simulated desks\n\n{len(answers)} answers, {options.trials} trials a row; "
        "`drop N`: blocked by a large drop of N points alone. Written by `python -m benchmarks gate_power`.\n\n"
        + markdown_table(rows)
    )
    (RESULTS / "gate_power.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
