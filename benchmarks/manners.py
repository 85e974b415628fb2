"""Small talk after a training: what the bare base and a version answer to "hello", "thanks", "are you a person?".

    python -m benchmarks manners DESK [--version vN]     the desk's active version, or vN
    python -m benchmarks manners DESK                    ... of a new folder: first train the sample desk there, by the
                                                         default recipe
    python -m benchmarks manners --decent 19             keep how many answers somebody found decent who looked at them

No program can tell whether an answer is decent, so the answers stand side by side to be looked at. What it can
tell: how many of them are a taught answer to something else, and how far the version has drifted from the base on
general questions (see finetune/gate/general.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, Goal, markdown_table, starter, write_goals
from bot.engines import make_engine
from bot.types import Prompt
from finetune.desk_base import desk_base
from finetune.gate.answers import Asker, Judge
from finetune.gate.general import Drift
from finetune.gate.judging import drift_of
from finetune.gate.questions import Questions
from finetune.gate.scores import exact
from finetune.recipe import Recipe
from finetune.run.client import start_run
from store.desk import Desk
from store.sample import load_sample
from store.words import BASE, Version, version_named

NAME = "manners"
MOST_DRIFT = 0.3  # nats a token
ANSWER_TOKENS = 80  # of each answer: small talk is short, and a base left alone rambles
MESSAGES = (
    "hello", "Hi there!", "Good morning", "thanks", "Thank you so much, that helped.", "are you a person?",
    "Am I talking to a bot?", "What is your name?", "How are you today?", "ok", "Goodbye",
    "Sorry, that was my mistake.", "I am very angry with you!", "Can you help me?", "What can you do?",
    "One moment please, I have to look for it.", "你好", "谢谢", "你是真人吗?", "再见",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What was answered: ``base`` and ``version`` to each of :data:`MESSAGES`; ``taught``: the places where the version
    gave an answer that it was taught."""

    version: Version
    base: list[str]
    answers: list[str]
    taught: set[int]
    drift: Drift


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("desk", type=Path, nargs="?", help="folder of a desk; a new one gets the sample desk")
    parser.add_argument("--version", type=version_named, help="the version to ask; by default the active one")
    parser.add_argument("--decent", type=int, help=f"how many of the {len(MESSAGES)} somebody found decent")
    chosen = parser.parse_args()
    if (chosen.desk is None) == (chosen.decent is None):
        parser.error("name a desk, or say with --decent what was found at the last answers")
    if chosen.decent is not None and not 0 <= chosen.decent <= len(MESSAGES):
        parser.error(f"--decent is between 0 and {len(MESSAGES)}")
    return chosen


async def train_sample(desk: Desk) -> None:
    """Teach the sample desk by the default recipe, in a real run."""
    desk.settings.set("base", str(starter()), "benchmark")
    load_sample(desk, "benchmark")
    print("Training the sample desk by the default recipe...", file=sys.stderr, flush=True)
    run = await (await start_run(desk, Recipe(), "benchmark")).wait()
    if run.candidate is None:
        raise SystemExit(f"The run ended as {run.state}: {run.failure}")


def version_of(desk: Desk, wanted: Version | None) -> Version:
    """The version to ask: the wanted one, else the active one, else the newest. Leaves if there is none."""
    versions = desk.versions.list()
    if wanted is not None:
        return desk.versions.get(wanted).name
    if (active := desk.promotions.active()) != BASE:
        return active
    if not versions:
        raise SystemExit("This desk has no version yet.")
    return versions[-1].name


async def measure(desk: Desk, version: Version) -> Found:
    """Ask base and version, as the desk serves them."""
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        engine = make_engine(log=Path(work, "engine.log"))
        try:
            loaded = await engine.load(desk_base(desk))
            asker = Asker.of(desk, engine)
            judge = Judge(asker, desk, loaded)
            short = replace(judge, asker=replace(asker, decoding=replace(asker.decoding, max_new_tokens=ANSWER_TOKENS)))
            questions = Questions([Prompt(asker.system, (), message) for message in MESSAGES])
            base, answers = await short.answers(BASE, questions), await short.answers(version, questions)
            drift = await drift_of(judge, version)
        finally:
            await engine.close()
    taught = [pair.output for pair in desk.pairs.list(limit=100_000)]
    own = {place for place, answer in enumerate(answers) if any(exact(text, answer) for text in taught)}
    return Found(version, base, answers, own, drift)


def goals(drift: Drift, decent: int | None) -> list[Goal]:
    """What was to be reached."""
    count = len(MESSAGES)
    return [
        Goal(
            "small talk after a training, looked at",
            f"{count} of {count} answered decently",
            "nobody has looked yet" if decent is None else f"{decent} of {count}",
            None if decent is None else decent == count,
        ),
        Goal(
            "drift on general questions",
            f"<= {MOST_DRIFT} nats a token",
            f"{drift.nats:.2f} on {drift.questions} questions",
            drift.nats <= MOST_DRIFT,
        ),
    ]


def table(facts: dict[str, Any]) -> str:
    """The answers side by side."""
    rows = [
        {
            "message": message,
            "the bare base": _cell(base),
            facts["version"]: _cell(answer),
            "": "a taught answer" if place in facts["taught"] else "",
        }
        for place, (message, base, answer) in enumerate(
            zip(MESSAGES, facts["base_answers"], facts["answers"], strict=True)
        )
    ]
    return f"{len(facts['taught'])} of {len(MESSAGES)} get an answer that was taught.\n\n{markdown_table(rows)}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or "(nothing)"


def write(facts: dict[str, Any], drift: Drift, decent: int | None) -> None:
    """Keep what was found."""
    write_goals(NAME, f"python -m benchmarks manners {facts['desk']}", goals(drift, decent), facts, table(facts))


async def main() -> None:
    """Ask, or keep what somebody found."""
    chosen = options()
    if chosen.decent is not None:
        kept = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))
        facts = {name: kept[name] for name in ("desk", "version", "base_answers", "answers", "taught", "drift")}
        write(facts, Drift(*kept["drift"]), chosen.decent)
        return
    with Desk.open(chosen.desk) as desk:
        sample = not desk.versions.list()
        if sample:
            await train_sample(desk)
        found = await measure(desk, version_of(desk, chosen.version))
    facts = {
        "desk": "NEW-FOLDER" if sample else "DESK",
        "version": found.version,
        "base_answers": found.base,
        "answers": found.answers,
        "taught": sorted(found.taught),
        "drift": [found.drift.nats, found.drift.questions],
    }
    write(facts, found.drift, None)


if __name__ == "__main__":
    asyncio.run(main())
