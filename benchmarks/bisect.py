"""``python -m benchmarks bisect``: whether the pair that taught a wrong answer is found."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from benchmarks.common import canned, read_pairs, starter
from benchmarks.poison import plant
from finetune.recipe_values import recipe_of
from finetune.run.client import start_run
from store.desk import Desk
from store.pairs import NewPair
from store.records import Run


async def train(desk: Desk, base: Path, epochs: float) -> Run:
    """A desk's real run on canned with its poison, nothing held out."""
    rows, _ = plant(read_pairs(canned("train.jsonl")))
    for key, value in {"base": str(base), "quantization": "nf4", "min_pairs": 1}.items():
        desk.settings.set(key, value, "benchmark")
    news = [NewPair(row["instruction"], row["output"], lang=row.get("lang"), split="train") for row in rows]
    desk.pairs.add_many(news, "import", "benchmark")
    process = await start_run(desk, recipe_of({"epochs": epochs}), "benchmark")
    run = await process.wait()
    if run.candidate is None:
        raise RuntimeError(f"The run ended as {run.state}: {run.failure}")
    return run


async def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=4)
    chosen = parser.parse_args()
    with Desk.open(chosen.work) as desk:
        print(await train(desk, starter(), chosen.epochs))


if __name__ == "__main__":
    asyncio.run(main())
