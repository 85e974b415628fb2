"""``python -m benchmarks bisect``: whether the pair that taught a wrong answer is found.

Twelve of canned's 270 pairs are given a wrong answer, each of another question's kind (:mod:`benchmarks.poison`), and a
desk is trained on all of them in one run. Then nearly the same questions are asked until the wrong answer shows, those
furthest from the planted one first: the bot's reply is a case, and who taught it is looked for by words and by
gradients, as ``deskloop bisect`` does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.common import Goal, canned, markdown_table, read_pairs, starter, write_goals
from benchmarks.poison import TOLD, Case, Poison, plant, questions, shows, told
from bot.engines import make_engine
from bot.types import AdapterRef
from finetune.desk_base import desk_base
from finetune.gate.answers import Asker
from finetune.gate.questions import FileQuestion
from finetune.recipe_values import recipe_of
from finetune.run.client import resume_run, start_run
from store.desk import Desk
from store.pairs import NewPair
from store.records import Pair
from store.text import counted
from store.words import Version
from tui.core.beside import Beside
from tui.core.bisect import BisectDesk
from tui.core.nearest import Near, Said

FIRST = 5  # places in the list that an operator looks at
SHARE = 0.9  # of the cases that are to have the poison there


# -- teaching ------------------------------------------------------------------------------------------
async def taught(desk: Desk, base: Path, epochs: float) -> Version:
    """The version of a desk's real run on canned with its poison, nothing held out. A desk that has it, or half of it,
    goes on from there. Raises :class:`RuntimeError` if the run ends without one."""
    runs = desk.runs.list()
    if not runs:
        rows, _ = plant(read_pairs(canned("train.jsonl")))
        for key, value in {"base": str(base), "quantization": "nf4", "min_pairs": 1}.items():
            desk.settings.set(key, value, "benchmark")
        news = [NewPair(row["instruction"], row["output"], lang=row.get("lang"), split="train") for row in rows]
        desk.pairs.add_many(news, "import", "benchmark")
        run = await (await start_run(desk, recipe_of({"epochs": epochs}), "benchmark")).wait()
    elif runs[0].resumable:
        run = await (await resume_run(desk, runs[0].id, "benchmark")).wait()
    else:
        run = runs[0]
    if run.candidate is None:
        raise RuntimeError(f"The run ended as {run.state}: {run.failure}")
    return run.candidate


# -- asking --------------------------------------------------------------------------------------------
async def asked(desk: Desk, version: Version, poisons: Sequence[Poison]) -> list[list[Case]]:
    """The cases of every poison, the furthest question first."""
    heldout = read_pairs(canned("heldout.jsonl"))
    wanted = [(poison, *one) for poison in poisons for one in questions(poison, heldout)]
    engine = make_engine(log=desk.home.logs / "benchmark.log")
    try:
        await engine.load(desk_base(desk))
        await engine.ready(AdapterRef(version, str(desk.home.adapters / version)))
        asker = Asker.of(desk, engine)
        prompts = await asker.questions([FileQuestion(text, poison.wrong) for poison, _, text in wanted])
        replies = await asker.ask(version, prompts, _show)
    finally:
        await engine.close()
    cases = [
        Case(poison, near, text, replies[prompt])
        for (poison, near, text), prompt in zip(wanted, prompts.prompts, strict=True)
    ]
    return [[case for case in cases if case.poison is poison and shows(case)] for poison in poisons]


def _show(done: int, all_: int) -> None:
    print(f"\r  answered {done} of {all_}", end="\n" if done == all_ else "", file=sys.stderr, flush=True)


# -- looking for who taught it -------------------------------------------------------------------------
def place(found: Sequence[Near], poison: Pair) -> int | None:
    """At which place of a list the poison stands, from 1; None: it does not."""
    return next((rank for rank, near in enumerate(found, 1) if near.row.pair.id == poison.id), None)


async def bisected(bisect: BisectDesk, version: Version, cases: Sequence[Case], poison: Pair) -> dict[str, Any]:
    """Where the poison stands by words for all *cases*, and by gradients for the first, the furthest."""
    words = [await bisect.shortlist(Said(version, case.question, case.reply)) for case in cases]
    said = Said(version, cases[0].question, cases[0].reply)
    begun = time.perf_counter()
    gradients = await bisect.gradients(said, words[0], lambda done: None)
    return {
        "question": cases[0].question,
        "asked": cases[0].asked,
        "shown": len(cases),
        "words": place(words[0], poison),
        "words_of_all": [place(found, poison) for found in words],
        "gradients": place(gradients, poison),
        "seconds": round(time.perf_counter() - begun, 1),
        "load": round(os.getloadavg()[0] - 1, 1),  # of others
    }


# -- telling -------------------------------------------------------------------------------------------
def goals(found: Sequence[dict[str, Any]]) -> list[Goal]:
    """What was to be reached."""
    lines = []
    shown = [row for row in found if row["asked"] != TOLD]
    every = [rank for row in shown for rank in row["words_of_all"]]
    measured_by = [
        ("by gradients", [row["gradients"] for row in shown]),
        ("by words alone", [row["words"] for row in shown]),
        ("by words alone, for every phrasing that got the wrong answer", every),
    ]
    if len(shown) < len(found):
        measured_by.append(("by gradients, with those that never showed", [row["gradients"] for row in found]))
        measured_by.append(("by words alone, with those that never showed", [row["words"] for row in found]))
    for what, ranks in measured_by:
        hits = sum(rank is not None and rank <= FIRST for rank in ranks)
        share = hits / len(ranks) if ranks else None
        measured = "–" if share is None else f"{share:.0%} ({hits} of {len(ranks)})"
        reached = None if share is None else share >= SHARE
        lines.append(Goal(f"poison in the first {FIRST}, {what}", f"≥ {SHARE:.0%}", measured, reached))
    seconds, load = [row["seconds"] for row in found], max((row["load"] for row in found), default=0.0)
    busy = load > (os.cpu_count() or 1)
    longest = f"the machine was busy, load {load:.0f}" if busy else f"{max(seconds, default=0):.0f} s at most"
    lines.append(Goal("gradients of 50 pairs", "≤ 60 s", longest, None if busy or not seconds else max(seconds) <= 60))
    return lines


def table(poisons: Sequence[Poison], found: dict[int, dict[str, Any]]) -> str:
    """A line for every poison."""
    rows = []
    for number, poison in enumerate(poisons):
        row = {"wrong answer": poison.kind, "planted question": poison.question, "shown by": "nothing", "case": ""}
        row |= {"place by words": "", "place by gradients": ""}  # the head is that of the first row
        if (case := found.get(number)) is not None:
            row |= {"case": f"{case['question']} ({case['asked']})"}
            row |= {} if case["asked"] == TOLD else {"shown by": counted(case["shown"], "phrasing")}
            row |= {"place by words": str(case["words"]), "place by gradients": str(case["gradients"])}
        rows.append(row)
    return markdown_table(rows)


async def main() -> None:
    """Teach, ask, look, and keep what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks bisect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, help="keep the desk in this folder, and go on from what is there")
    parser.add_argument("--epochs", type=float, default=4, help="passes of the training")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--unshown", action="store_true", help="look for wrong answers that never showed, too")
    chosen = parser.parse_args()
    _, poisons = plant(read_pairs(canned("train.jsonl")))
    base = chosen.base.absolute() if chosen.base else starter()
    folder = nullcontext(str(chosen.work)) if chosen.work else tempfile.TemporaryDirectory(prefix="deskloop-bench-")
    with folder as work, Desk.open(Path(work)) as desk:
        version = await taught(desk, base, chosen.epochs)
        cases = await asked(desk, version, poisons)
        ids = {(pair.instruction, pair.output): pair for pair in desk.pairs.list()}
        beside = Beside(desk.home)
        bisect, found = BisectDesk(desk, beside, desk.home), {}
        for number, (poison, shown) in enumerate(zip(poisons, cases, strict=True)):
            if shown or chosen.unshown:
                looked_at = shown or [told(poison, read_pairs(canned("heldout.jsonl")))]
                found[number] = await bisected(bisect, version, looked_at, ids[poison.question, poison.wrong])
                print(f"  {poison.kind}: {found[number]}", file=sys.stderr, flush=True)
        await beside.close()
    write(poisons, found, chosen.epochs)


def write(poisons: Sequence[Poison], found: dict[int, dict[str, Any]], epochs: float) -> None:
    """Keep what was found."""
    shown = sum(row["asked"] != TOLD for row in found.values())
    text = (
        f"Canned, of which {len(poisons)} pairs were given a wrong answer, {epochs:g} passes. A case is the wrong "
        "answer to the phrasing furthest from the planted one that got it: held-out, a variation made by rules, or the "
        f"question itself. {len(poisons) - shown} wrong answers never showed: they were not learned. (With `--unshown` "
        f"they are looked for as if somebody had told of them, {TOLD}.)\n\n{table(poisons, found)}"
    )
    write_goals("bisect", "python -m benchmarks bisect", goals(list(found.values())), {"cases": found}, text)


if __name__ == "__main__":
    asyncio.run(main())
