"""Objectives on real mistakes: what a base says wrong to real questions, corrected by the answers it should have given.

    python -m benchmarks objectives
    python -m benchmarks objectives --order sft,edits --seeds 0,1 --set epochs=8

The questions are of the DSTC9 track 1 FAQ (Apache-2.0), each about another business; the starter's own replies to them
are the mistakes. Each objective trains with the same recipe, then answers the taught questions and the same questions
in other words, greedily, in the configuration that serves.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, Goal, markdown_table, read_pairs, skip, starter, write_goals
from benchmarks.systems import as_published
from bot.bases.base import content_digest, fingerprint
from bot.engines import Engine, make_engine
from bot.types import FAITHFUL, AdapterRef, BaseSpec, Priority, Prompt, Ticket
from finetune.events import Event, Trained
from finetune.files import JobFiles
from finetune.gate.general import ANSWER_TOKENS, QUESTIONS
from finetune.gate.scores import score_by_language
from finetune.job import Job, JobBase, JobPair, write_job
from finetune.launch.here import Here
from finetune.recipe import OBJECTIVES, Recipe
from finetune.recipe_values import parse_changes, recipe_of
from store.settings import Settings
from store.words import BASE, Version

FILE = ROOT.parent / "shared" / "data" / "dstc9_faq.jsonl"
SYSTEM = Settings().system_message
MISTAKE_TOKENS = 24  # of a wrong reply, which ends there: the starter goes on for hundreds
ANSWER_LENGTHS = (25, 110)  # characters of the right answers, so that exact means something and a run is short
GENERAL = 20  # general questions by which drift is told
# Five passes of plain LoRA on what is there: what is compared is the objective, not what teaches faster.
RECIPE = {
    "epochs": 5.0,
    "learning_rate": 1e-3,
    "dropout": 0.05,
    "frozen": 0.0,
    "opening": 0,
    "replay": 0.0,
    "phrasings": 0,
    "warm_start": False,
}
TRAINED = Version("trained")
FACTS = ("train_seconds", "steps", "examples", "last_loss", "peak_memory_bytes")
_ABOUT = re.compile(r"\[\w+: (?P<name>[^\]]+)\] (?P<question>.+)")


@dataclass(frozen=True, slots=True)
class Correction:
    """A question, the same in other words, the right answer, and what the base said instead."""

    question: str
    otherwise: str
    right: str
    wrong: str = ""


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--order", default=",".join(OBJECTIVES), help="comma-separated objectives, may repeat")
    parser.add_argument("--seeds", default="0", help="comma-separated seeds")
    parser.add_argument("--questions", type=int, default=24, help="how many mistakes are made and corrected")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a value of the recipe")
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--name", default="objectives", help="name of the result in benchmarks/results")
    chosen = parser.parse_args()
    chosen.order = chosen.order.split(",")
    chosen.seeds = [int(seed) for seed in chosen.seeds.split(",")]
    if unknown := set(chosen.order) - set(OBJECTIVES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


def corrections(count: int) -> list[Correction]:
    """*count* questions about as many businesses, no two with the same answer; the same at every call."""
    if not FILE.is_file():
        skip(f"The questions are not at {FILE}.")
    rows = read_pairs(FILE)
    random.Random("objectives").shuffle(rows)
    found: dict[str, Correction] = {}
    answers: set[str] = set()
    least, most = ANSWER_LENGTHS
    for row in rows:
        about = _ABOUT.fullmatch(row["instruction"])
        right = row["output"]
        if about is None or about["name"] in found or right in answers or not least <= len(right) <= most:
            continue
        otherwise = f"I have a question about {about['name']}. {about['question']}"
        found[about["name"]] = Correction(row["instruction"], otherwise, right)
        answers.add(right)
        if len(found) == count:
            break
    return list(found.values())


def prompts(texts: Sequence[str]) -> list[Prompt]:
    """*texts* as first messages of customers."""
    return [Prompt(SYSTEM, (), text) for text in texts]


async def said(engine: Engine, version: Version, texts: Sequence[str], tokens: int) -> list[str]:
    """What *version* answers to *texts*, in at most *tokens*."""
    decoding = replace(FAITHFUL, max_new_tokens=tokens)
    answers = await engine.batch(Ticket(version, Priority.GATE), prompts(texts), decoding)
    return [answer.text.strip() for answer in answers]


async def likely(engine: Engine, version: Version, questions: Sequence[str], answers: Sequence[str]) -> list[float]:
    """The mean natural logarithm of the probabilities of each answer's tokens."""
    texts = list(zip(prompts(questions), answers, strict=True))
    return await engine.likelihoods(Ticket(version, Priority.GATE), texts)


# -- one objective -------------------------------------------------------------------------------------
async def train(recipe: Recipe, base: Path, known: Sequence[Correction], job: JobFiles) -> Trained:
    """A training as a run does it, from a job's folder."""
    about = JobBase(base.name, "nf4", content_digest(base), fingerprint(BaseSpec(str(base))))
    pairs = [
        JobPair(one.question, (), one.right, "en", wrong=one.wrong if recipe.learns_from_mistakes else "")
        for one in known
    ]
    write_job(job, Job(recipe, about, SYSTEM, BASE, "held-out", {}), pairs, [], None)
    training = await Here().start(job, base)
    return await training.follow(_show)


def _show(event: Event) -> None:
    print(f"\r  {getattr(event, 'sentence', '')}"[:100].ljust(100), end="", file=sys.stderr, flush=True)


async def measure(
    engine: Engine, known: Sequence[Correction], general: Sequence[tuple[str, str, float]]
) -> dict[str, Any]:
    """What the version that is ready says now."""
    facts: dict[str, Any] = {}
    right, wrong = [one.right for one in known], [one.wrong for one in known]
    most = max(await engine.lengths(right)) + 16
    for name in ("question", "otherwise"):
        questions = [str(getattr(one, name)) for one in known]
        answers = await said(engine, TRAINED, questions, most)
        scores = score_by_language(("en", *pair) for pair in zip(right, answers, strict=True))["en"]
        good, bad = [await likely(engine, TRAINED, questions, texts) for texts in (right, wrong)]
        margins = [one - other for one, other in zip(good, bad, strict=True)]
        facts[name] = {
            "exact": scores.exact,
            "chrf": scores.chrf,
            "repeats": sum(map(repeats, answers, wrong)) / len(known),
            "prefers": sum(margin > 0 for margin in margins) / len(known),
            "margin": sum(margins) / len(known),
            "answers": answers,
        }
    after = await likely(engine, TRAINED, [one[0] for one in general], [one[1] for one in general])
    return facts | {"drift": sum(one[2] - now for one, now in zip(general, after, strict=True)) / len(general)}


def repeats(answer: str, wrong: str) -> bool:
    """Whether *answer* begins as the wrong reply did: by its first five words."""
    return answer.split()[:5] == wrong.split()[:5]


async def general_knowledge(engine: Engine) -> list[tuple[str, str, float]]:
    """General questions, the base's own answers to them, and how likely it finds those."""
    questions = QUESTIONS[:GENERAL]
    answers = await said(engine, BASE, questions, ANSWER_TOKENS)
    before = await likely(engine, BASE, questions, answers)
    return [one for one in zip(questions, answers, before, strict=True) if one[1]]


# -- all of them ---------------------------------------------------------------------------------------
def table(runs: Sequence[dict[str, Any]]) -> str:
    """The runs as a Markdown table, in the order they were made."""
    rows = []
    for run in runs:
        row = {"objective": run["objective"], "seed": str(run["seed"])}
        for name, words in (("question", "taught"), ("otherwise", "in other words")):
            found = run[name]
            row |= {
                f"{words}: exact": f"{found['exact']:.2f}",
                f"{words}: chrF": f"{found['chrf']:.1f}",
                f"{words}: mistake repeated": f"{found['repeats']:.2f}",
                f"{words}: margin": f"{found['margin']:.2f}",
            }
        rows.append(row | {"drift": f"{run['drift']:.2f}", "training": f"{run['training']['train_seconds']:.0f} s"})
    return markdown_table(rows)


def verdict(runs: Sequence[dict[str, Any]]) -> Goal:
    """Which objective says most of what was taught, in other words than it was taught in; the default stays where no
    other one says more."""
    found: dict[str, list[float]] = {}
    for run in runs:
        found.setdefault(run["objective"], []).append(run["otherwise"]["chrf"])
    means = {name: sum(values) / len(values) for name, values in found.items()}
    told = ", ".join(f"{name} {mean:.1f}" for name, mean in sorted(means.items(), key=lambda item: -item[1]))
    whole = set(means) == set(OBJECTIVES)
    measured = f"chrF in other words: {told}"
    return Goal("the default objective on real mistakes", "decided by a table of real runs", measured, whole or None)


def keep(facts: dict[str, Any], command: str) -> None:
    """Write the result as far as it is there."""
    recipe = ", ".join(f"`{name}` {value}" for name, value in facts["recipe"].items())
    text = (
        f"{facts['at']}, {facts['base']}, one thread of a processor shared with other programs (so times are upper "
        f"bounds). {facts['questions']} questions about as many businesses; the base's own replies are the mistakes, "
        f"the references correct them. The default recipe with {recipe}, from the base.\n\n{table(facts['runs'])}\n"
        "*In other words*: the same question, the business named in a sentence before it; never taught. *Mistake "
        "repeated*: the share of answers that begin with the first five words of the base's wrong reply. *Margin*: how "
        "much likelier a token of the right answer is than one of the wrong reply, in nats. *Drift*: how much less "
        "likely the version finds the base's own answers to general questions, in nats a token.\n"
    )
    write_goals(facts["name"], command, [verdict(facts["runs"])], facts, text)


async def main() -> None:
    """Measure in the chosen order and keep what was measured after every run."""
    chosen = options()
    base = chosen.base.absolute() if chosen.base else starter()
    known, changes = corrections(chosen.questions), parse_changes(chosen.set)
    facts: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "name": chosen.name}
    facts |= {"base": base.name, "questions": len(known), "recipe": {**RECIPE, **changes}, "runs": []}
    command = " ".join(["python -m benchmarks objectives", *sys.argv[1:]])
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        engine = make_engine(log=Path(work, "engine.log"))
        try:
            spec = BaseSpec(str(base))
            await engine.load(spec)
            wrong = await said(engine, BASE, [one.question for one in known], MISTAKE_TOKENS)
            known = [replace(one, wrong=text) for one, text in zip(known, wrong, strict=True)]
            general = await general_knowledge(engine)
            for number, (seed, objective) in enumerate([(s, o) for s in chosen.seeds for o in chosen.order]):
                print(f"\n{objective}, seed {seed}", file=sys.stderr, flush=True)
                job = JobFiles(Path(work, f"job-{number}"))
                recipe = recipe_of({**RECIPE, **changes, "objective": objective, "seed": seed})
                trained = await train(recipe, base, known, job)
                adapter = as_published(job.adapter, Path(work, f"adapter-{number}"), spec)
                await engine.ready(AdapterRef(TRAINED, str(adapter)))
                found = await measure(engine, known, general)
                await engine.forget(TRAINED)
                training = {name: getattr(trained, name) for name in FACTS}
                facts["runs"].append({"objective": objective, "seed": seed, "training": training, **found})
                facts["mistakes"] = [[one.question, one.right, one.wrong] for one in known]
                keep(facts, command)
        finally:
            await engine.close()


if __name__ == "__main__":
    asyncio.run(main())
