"""Judging by drafts: the held-out questions of `canned`, answered with and without what is expected, A B A B.

    python -m benchmarks judging [--adapter FOLDER] [--rounds 2] [--questions N] [--base FOLDER]

--adapter: the folder of a published version of the base in NF4, which saves training one with the default recipe. Only
the ratio means anything on a shared machine, and the answers that differ: a product of many rows rounds otherwise than
one of few, which can tip a token that was a coin's toss.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.common import canned, machine, markdown_table, read_pairs, starter, write_result
from benchmarks.systems import SYSTEMS, train
from bot.engines import make_engine
from bot.types import AdapterRef, BaseSpec, Prompt
from finetune.gate.answers import Asker
from finetune.gate.questions import FileQuestion, Questions
from store.settings import Settings
from store.text import clean
from store.words import Version

TRAINED = Version("trained")


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, help="folder of a published version")
    parser.add_argument("--rounds", type=int, default=2, help="how often each way is gone")
    parser.add_argument("--questions", type=int, help="the first so many held-out questions only")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    return parser.parse_args()


async def main() -> None:
    """Train where need be, measure, write the table."""
    chosen = options()
    rows = read_pairs(canned("heldout.jsonl"))[: chosen.questions]
    base = chosen.base.absolute() if chosen.base else starter()
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        adapter, system, spec = chosen.adapter, Settings().system_message, BaseSpec(str(base), "nf4")
        if adapter is None:
            made = await train(SYSTEMS["deskloop"], base, read_pairs(canned("train.jsonl")), 0, Path(work))
            adapter, system, spec = made.adapter, made.system_message, made.spec
        engine = make_engine(log=Path(work, "engine.log"))
        try:
            await engine.load(spec)
            await engine.ready(AdapterRef(TRAINED, str(adapter.absolute())))
            facts = await measure(Asker(engine, system), rows, chosen.rounds)
        finally:
            await engine.close()
    write_result("judging", facts, report(facts))


async def measure(asker: Asker, rows: Sequence[Mapping[str, Any]], rounds: int) -> dict[str, Any]:
    """Both ways, one after the other, after a few questions that warm the model up."""
    asked = [FileQuestion(row["instruction"], row["output"], lang=row.get("lang")) for row in rows]
    drafted = await asker.questions(asked)
    ways = {"drafts": drafted, "plain": replace(drafted, drafts={})}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    answers: dict[str, dict[Prompt, str]] = {}
    loads: list[float] = []
    await _ask(asker, drafted.only(drafted.unique[:8]))
    for _ in range(rounds):
        for way, questions in ways.items():
            loads.append(round(os.getloadavg()[0], 2))
            start = time.perf_counter()
            answers[way] = await _ask(asker, questions)
            seconds[way].append(round(time.perf_counter() - start, 2))
    other = sum(answers["drafts"][prompt] != text for prompt, text in answers["plain"].items())
    right = {
        way: sum(said[prompt] == clean(one.output) for prompt, one in zip(drafted.prompts, asked, strict=True))
        for way, said in answers.items()
    }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "questions": len(asked),
        "seconds": seconds,
        "ratio": round(statistics.median(seconds["plain"]) / statistics.median(seconds["drafts"]), 2),
        "other_answers": other,
        "exact": right,
        "load_averages": loads,
    }


async def _ask(asker: Asker, questions: Questions) -> dict[Prompt, str]:
    return await asker.ask(TRAINED, questions, lambda done, wanted: None)


def report(facts: Mapping[str, Any]) -> str:
    """The measurement as text."""
    rows = [
        {
            "answered": {"drafts": "with the references as drafts", "plain": "token by token"}[way],
            "rounds": ", ".join(f"{one:.1f} s" for one in facts["seconds"][way]),
            "as the reference": f"{facts['exact'][way]} of {facts['questions']}",
        }
        for way in ("drafts", "plain")
    ]
    return (
        f"# Judging by drafts\n\n{facts['at']}, {facts['questions']} held-out questions of `canned`, load average "
        f"{min(facts['load_averages']):.1f} to {max(facts['load_averages']):.1f} on "
        f"{facts['machine']['usable_cores']} cores: {facts['ratio']:.1f} times as fast with drafts, "
        f"{facts['other_answers']} answers differ.\n\n{markdown_table(rows)}"
    )


if __name__ == "__main__":
    asyncio.run(main())
