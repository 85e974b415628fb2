"""deskloop beside the reference systems on the workload `canned`, in one sitting.

    python -m benchmarks canned                                      deskloop's default recipe and plain_qlora.py
    python -m benchmarks canned --with-trl --rounds 2                ... and trl_lora.py, A B C A B C
    python -m benchmarks canned --order deskloop-equal,plain,deskloop-equal,plain --epochs 1 --no-answers
                                                                     a quick comparison of speed at equal settings

Absolute times drift on shared machines: only times of one sitting can be compared. `deskloop-equal` and
`deskloop-lora-equal` (bf16, for TRL) train with the yardsticks' learning rate, epochs, batch size and prompt tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.common import Goal, canned, machine, markdown_table, read_pairs, starter, write_result
from benchmarks.systems import SYSTEMS, answer, install_trl, train


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--order", help=f"comma-separated, may repeat; of {', '.join(SYSTEMS)}")
    parser.add_argument("--rounds", type=int, default=1, help="how often the order is gone through")
    parser.add_argument("--with-trl", action="store_true", help="add trl (installed beside, not into, the environment)")
    parser.add_argument("--epochs", type=int, default=4, help="for all but deskloop's default recipe")
    parser.add_argument("--steps", type=int, help="one epoch of so many batches of 8; overrides --epochs and --pairs")
    parser.add_argument("--pairs", type=int, help="train on the first so many pairs only")
    parser.add_argument("--questions", type=int, help="answer the first so many held-out questions only")
    parser.add_argument("--no-answers", action="store_true", help="measure speed only")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--name", default="canned", help="name of the result in benchmarks/results")
    chosen = parser.parse_args()
    chosen.order = (chosen.order or ("deskloop,plain" + (",trl" if chosen.with_trl else ""))).split(",")
    if unknown := set(chosen.order) - set(SYSTEMS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if chosen.steps:
        chosen.epochs, chosen.pairs = 1, chosen.steps * 8
    return chosen


async def measure(name: str, chosen: argparse.Namespace, base: Path) -> dict[str, Any]:
    """Train and answer one system; its files are removed again."""
    rows, questions = read_pairs(canned("train.jsonl")), read_pairs(canned("heldout.jsonl"))
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        trained = await train(SYSTEMS[name], base, rows[: chosen.pairs], chosen.epochs, Path(work))
        facts = {"system": name, "quantization": SYSTEMS[name].quantization, **trained.facts}
        if not chosen.no_answers:
            scored = await answer(trained, questions[: chosen.questions], Path(work, "engine.log"))
            facts |= {key: scored[key] for key in ("bleu", "chrf", "exact", "n", "signature")}
            facts["answer_seconds"] = scored["seconds"]
    return facts


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as a Markdown table, in the order they were made."""
    rows = []
    for run in runs:
        row = {
            "system": run["system"],
            "base": run["quantization"],
            "epochs": f"{run['epochs']:g}",
            "batch": str(run["batch_size"]),
            "training": f"{run['train_seconds']:.0f} s",
            "samples/s": f"{run['samples_per_second']:.2f}",
            "whole run": f"{run['wall_seconds']:.0f} s",
            "load before": str(run["load_average_before"]),
        }
        if "bleu" in run:
            row |= {"BLEU": f"{run['bleu']:.1f}", "chrF": f"{run['chrf']:.1f}", "exact": f"{run['exact']:.2f}"}
            row |= {"answered in": f"{run['answer_seconds']:.0f} s"}
        rows.append(row)
    return markdown_table(rows)


def goals_of(runs: list[dict[str, Any]]) -> list[Goal]:
    """What the default recipe was to reach beside the reference system, from the *runs* of one sitting."""
    ours, plain = ([run for run in runs if run["system"] == name] for name in ("deskloop", "plain"))
    if not ours or "exact" not in ours[0]:
        return []
    exact, bleu = (mean(run[key] for run in ours) for key in ("exact", "bleu"))
    goals = [
        Goal("canned: unseen phrasings exact", ">= .93", f"{exact:.3f}", exact >= 0.93),
        Goal("canned: BLEU of unseen phrasings", ">= 94", f"{bleu:.1f}", bleu >= 94),
    ]
    if plain:
        share = mean(run["wall_seconds"] for run in ours) / mean(run["wall_seconds"] for run in plain)
        what = "canned: time of the whole run, as a share of plain_qlora.py's in the same sitting"
        goals.append(Goal(what, "<= .50", f"{share:.2f}", share <= 0.5))
    return goals


async def main() -> None:
    """Measure in the chosen order and keep what was measured after every run."""
    chosen = options()
    base = chosen.base.absolute() if chosen.base else starter()
    canned("train.jsonl")
    if "trl" in chosen.order:
        install_trl()
    facts: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    facts |= {"base": base.name, "pairs": chosen.pairs, "questions": chosen.questions, "runs": []}
    for number, name in enumerate(chosen.order * chosen.rounds, 1):
        print(f"[{number} of {len(chosen.order) * chosen.rounds}] {name}", file=sys.stderr, flush=True)
        facts["runs"].append(await measure(name, chosen, base))
        print(f"  {facts['runs'][-1]}", file=sys.stderr, flush=True)
    where = facts["machine"]
    partial = "" if chosen.pairs is None else f" (the first {chosen.pairs} training pairs only)"
    head = (
        f"# `canned`{partial}\n\n{facts['at']}, {base.name}, {where['usable_cores']} cores of {where['processor']}, "
        f"torch {where['libraries']['torch']}, transformers {where['libraries']['transformers']}. One sitting, in this "
        "order; training time is without loading.\n\n"
    )
    facts |= {"command": " ".join(["python -m benchmarks", "canned", *sys.argv[1:]])}
    facts |= {"lines": [asdict(goal) for goal in goals_of(facts["runs"])]}
    write_result(chosen.name, facts, head + table(facts["runs"]))


if __name__ == "__main__":
    asyncio.run(main())
