"""Every tuning method with its defaults on the workload `canned`, in one sitting.

    python -m benchmarks methods
    python -m benchmarks methods --order prefix,prompt --set learning_rate=3e-2      search for a method's defaults

Each trains by a real run of a real desk and answers in the configuration it is served in: methods that need a dense
base on bf16, the others on NF4.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.common import canned, machine, markdown_table, read_pairs, starter, write_result
from benchmarks.systems import System, Trained, answer, train
from bot.engines import make_engine
from bot.types import FAITHFUL, AdapterRef, Prompt, Ticket
from finetune.recipe import METHODS, ON_DENSE
from finetune.recipe_values import parse_changes
from store.words import Version

QUESTION = "Could you explain to me how a return works?"


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--order", default=",".join(METHODS), help="comma-separated methods, may repeat")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a value of the recipe")
    parser.add_argument("--pairs", type=int, help="train on the first so many pairs only")
    parser.add_argument("--questions", type=int, help="answer the first so many held-out questions only")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--name", default="methods", help="name of the result in benchmarks/results")
    chosen = parser.parse_args()
    chosen.order = chosen.order.split(",")
    if unknown := set(chosen.order) - set(METHODS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


async def measure(method: str, chosen: argparse.Namespace, base: Path) -> dict[str, Any]:
    """Train and answer by one method; its files are removed again."""
    rows, questions = read_pairs(canned("train.jsonl")), read_pairs(canned("heldout.jsonl"))
    recipe = {"method": method, **parse_changes(chosen.set)}
    system = System(method, "bf16" if method in ON_DENSE else "nf4", recipe=recipe, system_message=None, equal=False)
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        trained = await train(system, base, rows[: chosen.pairs], 0, Path(work))
        size = sum(path.stat().st_size for path in trained.adapter.rglob("*") if path.is_file())
        log = Path(work, "engine.log")
        scored = await answer(trained, questions[: chosen.questions], log)
        facts = {"method": method, "quantization": system.quantization, "recipe": recipe, **trained.facts}
        facts |= {"adapter_bytes": size, "tokens_per_second": await speed(trained, log)}
        return facts | {key: scored[key] for key in ("bleu", "chrf", "exact", "n", "signature")}


async def speed(trained: Trained, log: Path) -> float:
    """Tokens a second of one answer after the first, which warms up."""
    engine = make_engine(log=log)
    try:
        await engine.load(trained.spec)
        readiness = await engine.ready(AdapterRef(Version("trained"), str(trained.adapter)))
        answers = [
            item
            for _ in range(3)
            async for item in engine.stream(
                Ticket(readiness.version), Prompt(trained.system_message, (), QUESTION), FAITHFUL
            )
            if not isinstance(item, str)
        ]
        return round(sum(a.new_tokens for a in answers[1:]) / sum(a.seconds for a in answers[1:]), 1)
    finally:
        await engine.close()


def table(runs: list[dict[str, Any]]) -> str:
    """The runs as a Markdown table, in the order they were made."""
    return markdown_table(
        [
            {
                "method": run["method"],
                "base": run["quantization"],
                "trained": f"{100 * run['trainable_share']:.2f} %",
                "adapter": f"{run['adapter_bytes'] / 1e6:.1f} MB",
                "epochs": f"{run['epochs']:g}",
                "rate": f"{run['learning_rate']:g}",
                "training": f"{run['train_seconds']:.0f} s",
                "peak memory": f"{run['peak_memory_bytes'] / 2**30:.1f} GiB",
                "BLEU": f"{run['bleu']:.1f}",
                "chrF": f"{run['chrf']:.1f}",
                "exact": f"{run['exact']:.2f}",
                "tokens/s": str(run["tokens_per_second"]),
            }
            for run in runs
        ]
    )


async def main() -> None:
    """Measure in the chosen order and keep what was measured after every run."""
    chosen = options()
    base = chosen.base.absolute() if chosen.base else starter()
    canned("train.jsonl")
    facts: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    facts |= {"base": base.name, "pairs": chosen.pairs, "questions": chosen.questions, "runs": []}
    where = facts["machine"]
    head = (
        f"# Methods\n\n{facts['at']}, {base.name}, {where['usable_cores']} cores of {where['processor']}, torch "
        f"{where['libraries']['torch']}. One sitting, in this order; training time is without loading.\n\n"
    )
    for number, method in enumerate(chosen.order, 1):
        print(f"[{number} of {len(chosen.order)}] {method}", file=sys.stderr, flush=True)
        facts["runs"].append(await measure(method, chosen, base))
        print(f"  {facts['runs'][-1]}", file=sys.stderr, flush=True)
        write_result(chosen.name, facts, head + table(facts["runs"]))


if __name__ == "__main__":
    asyncio.run(main())
