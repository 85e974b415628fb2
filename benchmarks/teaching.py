"""Taught means answered: what the default recipe teaches, asked in the serving configuration after real runs.

    python -m benchmarks teaching                          the sample desk and canned, one seed
    python -m benchmarks teaching --cases sample,canned,esp_en,bitext,corrections --seeds 0,1,2
    python -m benchmarks teaching --cases esp_zh --base FOLDER     a base that reads Chinese, prepared by deskloop

Each case is a desk of its own, retrained by ``deskloop``'s own run with default settings. *recall*: of the taught
questions, those answered as taught (as the run's report has it); *unseen*: of phrasings that were never taught, those
answered word for word; *seconds*: of the whole run, from the key to the verdict.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, Goal, canned, markdown_table, read_pairs, skip, starter, write_goals
from bot.engines import make_engine
from bot.types import AdapterRef
from finetune.desk_base import desk_base
from finetune.gate.answers import Asker
from finetune.gate.judging import evaluate_file
from finetune.gate.questions import FileQuestion
from finetune.gate.report import report_of
from finetune.recipe_values import parse_changes, recipe_of
from finetune.run.client import start_run
from store.desk import Desk
from store.pairs import NewPair
from store.records import Run
from store.sample import sample_rows
from store.words import Version

WHO = "benchmark"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """What is taught, what is asked that was not, and what was to be reached (see :class:`Goal`). ``later``: what is
    corrected and learned in a second run, which goes on from the first."""

    taught: Sequence[Row]
    unseen: Sequence[Row] = ()
    goals: dict[str, float] = field(default_factory=dict)
    later: Sequence[Row] = ()


def one_kept_back(rows: Sequence[Row], key: str, seed: int) -> tuple[list[Row], list[Row]]:
    """(taught, unseen): of each answer one phrasing, drawn by *seed*, is not taught."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    taught, unseen = list[Row](), list[Row]()
    for name, group in groups.items():
        kept = random.Random(f"{seed}/{name}").randrange(len(group)) if len(group) > 1 else -1
        for number, row in enumerate(group):
            (unseen if number == kept else taught).append(row)
    return taught, unseen


def data(name: str) -> list[Row]:
    """A file of the shared real data, beside the reference workload."""
    path = ROOT.parent / "shared" / "data" / f"{name}.jsonl"
    if not path.is_file():
        skip(f"The data set {name} is not at {path}.")
    return read_pairs(path)


def distinct(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """*count* rows with different questions, drawn by *seed*."""
    found: dict[str, Row] = {}
    for row in random.Random(seed).sample(rows, len(rows)):
        found.setdefault(row["instruction"], row)
    return list(found.values())[:count]


def sample(seed: int) -> Case:
    """The sample desk, which every newcomer meets first."""
    taught, unseen = one_kept_back(list(sample_rows()), "answer", seed)
    return Case(taught, unseen, {"recall": 0.97, "unseen": 0.70, "seconds": 360, "drift": 0.3})


def canned_case(seed: int) -> Case:
    """27 answers, 10 phrasings each, 4 unseen ones."""
    return Case(read_pairs(canned("train.jsonl")), read_pairs(canned("heldout.jsonl")), {"unseen": 0.93, "bleu": 94})


def faq(name: str) -> Callable[[int], Case]:
    """120 pairs with one phrasing each."""
    return lambda seed: Case(distinct(data(name), 120, seed), (), {"recall": 0.95})


def bitext(seed: int) -> Case:
    """1,000 pairs with long answers."""
    return Case(distinct(data("bitext_cs"), 1000, seed), (), {"recall": 0.90})


def corrections(seed: int) -> Case:
    """Ten new answers on a desk that knows canned: two phrasings of each are kept, one is corrected."""
    groups: dict[str, list[Row]] = {}
    for row in sample_rows():
        if row["lang"] == "en" and not row.get("history"):
            groups.setdefault(row["answer"], []).append(row)
    chosen = random.Random(seed).sample([group for group in groups.values() if len(group) > 2], 10)
    later = [group[0] for group in chosen]
    unseen = [row for group in chosen for row in group[1:3]]
    goals = {"corrected": 0.95, "unseen": 0.70, "seconds": 90}
    return Case(read_pairs(canned("train.jsonl")), unseen, goals, later)


CASES: dict[str, Callable[[int], Case]] = {
    "sample": sample,
    "canned": canned_case,
    "esp_en": faq("esp_faq_en"),
    "esp_zh": faq("esp_faq_zh"),
    "bitext": bitext,
    "corrections": corrections,
}


async def retrained(desk: Desk, changes: dict[str, Any]) -> tuple[Run, float]:
    """A run to its verdict, and its seconds."""
    began = time.monotonic()
    process = await start_run(desk, recipe_of(changes), WHO)
    run = await process.wait()
    if run.candidate is None:
        raise RuntimeError(f"The run ended as {run.state}: {run.failure}")
    return run, time.monotonic() - began


async def exact(desk: Desk, version: Version, rows: Sequence[Row], log: Path) -> dict[str, Any]:
    """BLEU and exact share of what *version* answers to *rows*, as served."""
    engine = make_engine(log=log)
    try:
        await engine.load(desk_base(desk))
        folder = desk.home.adapters / desk.versions.get(version).folder
        await engine.ready(AdapterRef(version, str(folder.absolute())))
        asked = [FileQuestion(row["instruction"], row["output"], lang=row.get("lang")) for row in rows]
        return await evaluate_file(Asker.of(desk, engine), version, asked)
    finally:
        await engine.close()


def pairs_of(rows: Sequence[Row], split: str = "train") -> list[NewPair]:
    """*rows* as new pairs of a desk."""
    return [
        NewPair(
            row["instruction"],
            row["output"],
            tuple((customer, bot) for customer, bot in row.get("history") or ()),
            lang=row.get("lang"),
            split=split,  # type: ignore[arg-type]
        )
        for row in rows
    ]


async def measure(name: str, case: Case, base: Path, changes: dict[str, Any], work: Path) -> dict[str, Any]:
    """Teach *case* on a desk below the empty folder *work*; returns what was measured."""
    with Desk.open(work / "desk") as desk:
        for key, value in {"base": str(base), "min_pairs": 1}.items():
            desk.settings.set(key, value, WHO)
        desk.pairs.add_many(pairs_of(case.taught), "import", WHO)
        run, seconds = await retrained(desk, changes)
        if case.later:
            desk.promotions.promote(Version(str(run.candidate)), "manual", WHO, reason="the first lesson")
            desk.pairs.add_many(pairs_of(case.later), "correction", WHO)
            run, seconds = await retrained(desk, changes)
        version = Version(str(run.candidate))
        report = report_of(run)
        training = [event for event in desk.runs.events(run.id) if event.kind == "trained"]
        facts: dict[str, Any] = {"case": name, "seconds": round(seconds, 1), "verdict": run.verdict}
        facts["training"] = training[-1].body if training else {}
        if report is not None:
            facts["drift"] = None if report.drift is None else report.drift.nats
            facts["recall"] = None if report.recall is None else report.recall.share
            facts["recall_exact"] = None if report.recall is None else report.recall.exact_share
        for key, rows in (("unseen", case.unseen), ("corrected", case.later)):
            if rows:
                facts[key] = await exact(desk, version, rows, work / "engine.log")
        return facts


def numbers(facts: dict[str, Any]) -> dict[str, float]:
    """What goals are compared with."""
    found: dict[str, float | None] = {
        "recall": facts.get("recall"),
        "exact recall": facts.get("recall_exact"),
        "unseen": (facts.get("unseen") or {}).get("exact"),
        "bleu": (facts.get("unseen") or {}).get("bleu"),
        "corrected": (facts.get("corrected") or {}).get("exact"),
        "drift": facts.get("drift"),
        "seconds": facts["seconds"],
    }
    return {name: value for name, value in found.items() if value is not None}


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="sample,canned", help=f"comma-separated, of {', '.join(CASES)}")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--name", default="teaching", help="results are benchmarks/results/NAME_CASE")
    return parser.parse_args()


async def main() -> None:
    """Measure, and keep what was measured after every run."""
    chosen = options()
    base = chosen.base.absolute() if chosen.base else starter()
    changes = parse_changes(chosen.changes)
    for name in chosen.cases.split(","):
        runs: list[dict[str, Any]] = []
        for seed in map(int, chosen.seeds.split(",")):
            with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
                found = await measure(name, CASES[name](seed), base, {**changes, "seed": seed}, Path(work))
            runs.append({**found, "seed": seed})
            print(name, seed, numbers(found), file=sys.stderr, flush=True)
            keep(chosen, name, runs, base)


def keep(chosen: argparse.Namespace, name: str, runs: Sequence[dict[str, Any]], base: Path) -> None:
    """Write what was measured of the case *name* so far."""
    words = ["python -m benchmarks teaching", "--cases", name, "--seeds", ",".join(str(run["seed"]) for run in runs)]
    words += [f"--set {change}" for change in chosen.changes] + ([f"--base {base.name}"] if chosen.base else [])
    goals = [
        goal_of(f"{name}, seed {run['seed']}: {what}", what, CASES[name](run["seed"]), numbers(run))
        for run in runs
        for what in CASES[name](run["seed"]).goals
    ]
    write_goals(f"{chosen.name}_{name}", " ".join(words), goals, {"base": base.name, "runs": [*runs]}, table(runs))


def goal_of(label: str, what: str, case: Case, measured: dict[str, float]) -> Goal:
    """What was to be reached, beside what was."""
    most = what in ("seconds", "drift")
    wanted, found = case.goals[what], measured.get(what)
    goal = f"{'<=' if most else '>='} {wanted:g}"
    if found is None:
        return Goal(label, goal, "", None)
    return Goal(label, goal, f"{found:.3g}", found <= wanted if most else found >= wanted)


def table(runs: Sequence[dict[str, Any]]) -> str:
    """All that was measured of each run."""
    rows = [
        {"case": f"{run['case']}, seed {run['seed']}", **{name: f"{value:.3g}" for name, value in numbers(run).items()}}
        for run in runs
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return markdown_table([{name: row.get(name, "") for name in names} for row in rows])


if __name__ == "__main__":
    asyncio.run(main())
