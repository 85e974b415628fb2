"""Does a version know when not to answer? Held-out questions of `canned` among questions of two other desks.

    python -m benchmarks hand_over                           train the default recipe for five epochs and measure
    python -m benchmarks hand_over --desk FOLDER             on a desk that is kept there: what it has is used again

A desk learns `canned`. Half of the 27 answers lend it their held-out questions, by which it is calibrated as a run
does; the held-out questions of the other half are asked, mixed with as many from `esp_faq_en` and `dstc9_faq`, which
this desk has no answers to. Nothing of those, and of the other half, is ever used in fitting. Which half is which does
not matter to the training, so it is done for many halves, drawn with the seeds 0, 1, 2, ...
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.common import ROOT, Goal, canned, markdown_table, read_pairs, skip, starter, write_goals
from bot.engines import make_engine
from bot.types import AdapterRef
from finetune.certainty.calibrating import Replies, observations, replies_of, stands
from finetune.certainty.calibration import Calibration, calibrate
from finetune.certainty.features import Said, features_of
from finetune.certainty.nearness import Nearness
from finetune.gate.answers import Asker, Judge
from finetune.gate.questions import FileQuestion, Question
from finetune.recipe_values import recipe_of
from finetune.run.client import start_run
from store.desk import Desk
from store.pairs import NewPair
from store.versions.answers import KeptAnswer
from store.words import Version
from tui.core.base import base_spec

ACCEPTED = 0.05
OTHER_DESKS = ("esp_faq_en", "dstc9_faq")
ASKED = 27  # questions of each other desk: together as many as half of canned's held-out ones

Answered = tuple[Question, KeptAnswer]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one version says to what it is calibrated on (all held-out questions are there), and to other desks."""

    replies: Replies
    others: dict[str, list[Answered]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one way to halve: the threshold, and counts of replies given and handed over."""

    threshold: float
    right: int
    wrong: int
    answerable: int  # questions with an answer here
    others_given: int
    others: int

    @property
    def wrong_share(self) -> float:
        """Of the replies given, the wrong ones."""
        given = self.right + self.wrong + self.others_given
        return (self.wrong + self.others_given) / given if given else 0.0

    @property
    def answered(self) -> float:
        """Of the questions with an answer here, those that were answered."""
        return (self.right + self.wrong) / self.answerable

    @property
    def handed_over(self) -> float:
        """Of the others, those that were handed over."""
        return 1 - self.others_given / self.others


def questions_of(path: Path) -> list[FileQuestion]:
    """The rows of a file of pairs, as questions."""
    return [FileQuestion(row["instruction"], row["output"], lang=row.get("lang")) for row in read_pairs(path)]


def other_desk(name: str) -> list[FileQuestion]:
    """Questions of another desk, always the same."""
    path = Path(os.environ.get("DESKLOOP_DATA", ROOT.parent / "shared" / "data")) / f"{name}.jsonl"
    if not path.is_file():
        skip(f"The questions of the other desk are not at {path}. Set DESKLOOP_DATA to its folder.")
    return random.Random(0).sample(questions_of(path), ASKED)


async def trained(desk: Desk, epochs: float) -> Version:
    """The desk's newest version, which a real run makes if there is none yet."""
    if not desk.versions.list():
        for key, value in {"base": str(starter()), "min_pairs": 1}.items():
            desk.settings.set(key, value, "benchmark")
        news = [
            NewPair(one.instruction, one.output, lang=one.lang, split="train")
            for one in questions_of(canned("train.jsonl"))
        ]
        desk.pairs.add_many(news, "import", "benchmark")
        run = await (await start_run(desk, recipe_of({"epochs": epochs}), "benchmark")).wait()
        if run.candidate is None:
            raise RuntimeError(f"The run ended as {run.state}: {run.failure}")
    return Version(desk.versions.list()[-1].name)


async def ask(desk: Desk, version: Version) -> Asked:
    """Ask *version* everything; what the desk keeps is not asked again."""
    engine = make_engine(log=desk.home.logs / "benchmark.log")
    try:
        base = await engine.load(base_spec(desk))
        await engine.ready(AdapterRef(version, str(desk.home.adapters / version)))
        judge = Judge(Asker.of(desk, engine), desk, base, _show)
        heldout = questions_of(canned("heldout.jsonl"))
        replies = await replies_of(judge, version, heldout)
        others: dict[str, list[Answered]] = {}
        for name in OTHER_DESKS:
            asked: list[Question] = [*other_desk(name)]
            said = await judge.certain(version, await judge.asker.questions(asked))
            others[name] = list(zip(asked, said, strict=True))
        return Asked(replies, others)
    finally:
        await engine.close()


def measure(asked: Asked, seed: int, judge: Asker) -> tuple[Calibration, Outcome]:
    """Calibrate on the questions of one half of the answers, and see what becomes of the other half's and the rest."""
    answers = sorted({question.output for question, _ in asked.replies.heldout})
    random.Random(seed).shuffle(answers)
    fitted_on = set(answers[: len(answers) // 2])
    replies = asked.replies
    mine = [one for one in replies.heldout if one[0].output in fitted_on]
    test = [one for one in replies.heldout if one[0].output not in fitted_on]
    calibration = calibrate(list(observations(Replies(mine, replies.general, replies.taught), judge.margins)))
    threshold, taught = calibration.threshold(ACCEPTED), Nearness(replies.taught)

    def given(one: Answered) -> bool:
        question, kept = one
        features = features_of(Said(question.instruction, kept.text, kept.certainty, kept.least), taught)
        return calibration.weights.chance(features) >= threshold

    said = [stands(question.output, kept.text, judge.margins) for question, kept in test if given((question, kept))]
    strange = [one for rows in asked.others.values() for one in rows[: len(test)]]
    others = sum(map(given, strange))
    return calibration, Outcome(threshold, sum(said), len(said) - sum(said), len(test), others, len(strange))


def summary(outcomes: Sequence[Outcome]) -> tuple[list[Goal], str]:
    """The goals, by the first half that is drawn, and a table of all."""
    first = outcomes[0]
    goals = [
        Goal("wrong answers given", "<= 5 %", f"{first.wrong_share:.1%}", first.wrong_share <= ACCEPTED),
        Goal("answerable questions answered", ">= 80 %", f"{first.answered:.1%}", first.answered >= 0.8),
        Goal("others handed over", ">= 95 %", f"{first.handed_over:.1%}", first.handed_over >= 0.95),
    ]
    rows = []
    for what, values, better in (
        ("wrong, of those given", [one.wrong_share for one in outcomes], max),
        ("answered, of questions with an answer", [one.answered for one in outcomes], min),
        ("handed over, of the others", [one.handed_over for one in outcomes], min),
        ("threshold", [one.threshold for one in outcomes], max),
    ):
        rows.append({"": what, "mean": f"{mean(values):.1%}", "worst": f"{better(values):.1%}"})
    reached = sum(one.wrong_share <= ACCEPTED and one.answered >= 0.8 and one.handed_over >= 0.95 for one in outcomes)
    text = f"Over {len(outcomes)} ways to halve the answers (all three goals reached in {reached}):\n\n"
    return goals, text + markdown_table(rows)


async def main() -> None:
    """Train if need be, ask, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--desk", type=Path, help="keep the desk in this folder, and use what is there")
    parser.add_argument("--epochs", type=float, default=5.0)
    parser.add_argument("--halves", type=int, default=20, help="ways to halve the answers")
    chosen = parser.parse_args()
    canned("train.jsonl")
    with (
        tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work,
        Desk.open(chosen.desk or Path(work, "desk")) as desk,
    ):
        version = await trained(desk, chosen.epochs)
        asked = await ask(desk, version)
        asker = Asker.of(desk, None)  # type: ignore[arg-type]  # for its margins
        found = [measure(asked, seed, asker) for seed in range(chosen.halves)]
        goals, text = summary([outcome for _, outcome in found])
        facts: dict[str, Any] = {
            "epochs": desk.versions.get(version).recipe["epochs"],
            "right": mean(stands(q.output, kept.text, asker.margins) for q, kept in asked.replies.heldout),
            "weights": found[0][0].to_dict()["weights"],
            "halves": [
                {"threshold": one.threshold, "right": one.right, "wrong": one.wrong, "answerable": one.answerable,
                 "others_given": one.others_given, "others": one.others} for _, one in found
            ],
        }  # fmt: skip
        text += (
            f"\nTrained for {facts['epochs']:g} epochs; the version answers {facts['right']:.1%} of all held-out "
            "questions rightly.\n"
        )
        write_goals("hand_over", "python -m benchmarks hand_over", goals, facts, text)


def _show(done: int, wanted: int, version: str) -> None:
    print(f"\r  answered {done} of {wanted}", end="\n" if done == wanted else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
