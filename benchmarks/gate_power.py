"""How often the gate is wrong, by number of held-out pairs: the reason behind the numbers in GateMargins.

    python -m benchmarks gate_power [--data PAIRS.jsonl] [--trials 1000]

A desk of the different answers in PAIRS.jsonl is simulated, in several worlds. The active version says the right answer
to a question with probability 0.85 and a wrong one of the same desk otherwise. Retraining moves some questions: there
the candidate draws anew, with a chance of being right that makes it lose a given share of the active version's right
answers. Held-out pairs may be phrasings of one answer, which are then learned and lost together to some degree; and
each version may say its answers in slightly other words each time. What is counted is the gate's own verdict on one
language. Uses one core and no model.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

from benchmarks.common import Goal, canned, markdown_table, read_pairs, write_goals
from finetune.gate.comparison import bootstrap_interval
from finetune.gate.margins import GateMargins
from finetune.gate.scores import Metric
from finetune.gate.signs import flip_p
from finetune.gate.verdict import Evidence, decide

QUALITY = 0.85  # the active version's share of right answers
SIZES = (5, 10, 20, 30, 40, 100, 200, 400)
TENTH = 0.1
LOSSES = (0.0, TENTH, 0.2)  # of its right answers
WORDINGS = 4  # other ways to say an answer, one or two words apart
FALSE, SLIPPED = 0.05, 0.02  # the goals: equally good and rejected; from 100 pairs a tenth lost and promoted
Verdicts = dict[str, float]
NOTE = """Shares of simulated candidates; how the worlds are made is said in `benchmarks/gate_power.py`. Where all
phrasings of an answer are lost together, 100 pairs with 4 phrasings each are 25 answers: of the candidates that lose a
tenth of the right ones, 8 in 100 lose none of these 25 (.902 ** 25), and no check that promotes what has not changed
can tell them from good ones.
"""


@dataclass(frozen=True, slots=True)
class World:
    """``phrasings`` of each right answer among the held-out pairs; ``together``: the share of them that follow what
    becomes of the answer, the others are on their own; ``moved``: the share of questions that retraining moves;
    ``reworded``: the share of answers that are said in other words than the reference, by either version."""

    name: str
    phrasings: int = 1
    together: float = 0.0
    moved: float = 0.2
    reworded: float = 0.0


WORLDS = (
    World("a pair an answer"),
    World("4 phrasings, half of them together", phrasings=4, together=0.5),
    World("4 phrasings, all together", phrasings=4, together=1.0),
    World("a pair an answer, half moved", moved=0.5),
    World("a pair an answer, half reworded", reworded=0.5),
)


class Replies:
    """What a desk's versions can say: its answers, each also in other words, and the counts of each of them as a reply
    to each answer's question. Reply ``i * (WORDINGS + 1)`` is answer ``i`` itself."""

    def __init__(self, answers: Sequence[str]) -> None:
        rng = random.Random(0)
        self.answers = len(answers)
        replies = [text for answer in answers for text in (answer, *(_reworded(answer, rng) for _ in range(WORDINGS)))]
        metric = Metric("13a")
        self.bleu, self.chrf = metric.bleu, metric.chrf
        size = len(replies)
        measured = metric.measure([answer for answer in answers for _ in range(size)], replies * self.answers)
        self.bleu_counts = np.array(measured.bleu_counts).reshape(self.answers, size, -1)
        self.chrf_counts = np.array(measured.chrf_counts).reshape(self.answers, size, -1)
        self.closeness = np.array([self.chrf(row) for row in measured.chrf_counts]).reshape(self.answers, size)


def _reworded(answer: str, rng: random.Random) -> str:
    """*answer* with one or two of its words left out or said twice."""
    words = answer.split()
    for _ in range(rng.choice((1, 2))):
        place = rng.randrange(len(words))
        words[place : place + 1] = rng.choice(([], [words[place]] * 2))
    return " ".join(words)


class Draw:
    """Draws what two versions say in one world, where the candidate has lost *loss* of the right answers."""

    def __init__(self, replies: Replies, world: World, loss: float, seed: str) -> None:
        self._replies, self._world, self._rng = replies, world, random.Random(seed)
        moved = max(world.moved, loss)  # who loses half of the answers has moved half of them
        self._moved, self._redrawn = moved, QUALITY * (1 - loss / moved)

    def clusters(self, n: int) -> list[list[tuple[int, int, int]]]:
        """*n* questions by their right answer, each as (target, the active version's reply, the candidate's)."""
        found = []
        for begin in range(0, n, self._world.phrasings):
            target = self._rng.randrange(self._replies.answers)
            common = self._answers(target)
            size = min(self._world.phrasings, n - begin)
            ways = [common if self._rng.random() < self._world.together else self._answers(target) for _ in range(size)]
            found.append([(target, self._said(one), self._said(other)) for one, other in ways])
        return found

    def _answers(self, target: int) -> tuple[int, int]:
        active = self._answer(target, QUALITY)
        return active, self._answer(target, self._redrawn) if self._rng.random() < self._moved else active

    def _answer(self, target: int, quality: float) -> int:
        return target if self._rng.random() < quality else self._rng.randrange(self._replies.answers)

    def _said(self, answer: int) -> int:
        wording = self._rng.randint(1, WORDINGS) if self._rng.random() < self._world.reworded else 0
        return answer * (WORDINGS + 1) + wording


def verdict(replies: Replies, clusters: Sequence[Sequence[tuple[int, int, int]]], margins: GateMargins) -> str:
    """The gate's decision, by the gate's own parts; replies are looked up and not measured again."""
    flat = [question for cluster in clusters for question in cluster]
    targets, before, after = (list(side) for side in zip(*flat, strict=True))
    signs = np.sign(np.round(replies.closeness[targets, after] - replies.closeness[targets, before], 9))
    ends = np.cumsum([len(cluster) for cluster in clusters])
    nets = [int(part.sum()) for part in np.split(signs, ends[:-1])]
    one, other = replies.bleu_counts[targets, before], replies.bleu_counts[targets, after]
    chrf = [replies.chrf(replies.chrf_counts[targets, side].sum(axis=0).tolist()) for side in (before, after)]
    difference = replies.bleu(other.sum(axis=0).tolist()) - replies.bleu(one.sum(axis=0).tolist())
    changed, worse = sum(map(bool, nets)), int((signs < 0).sum())
    evidence = Evidence(len(flat), difference, chrf[1] - chrf[0], changed, worse, flip_p(nets))
    decision = decide(evidence, margins)
    if decision == "pass" and len(flat) >= margins.interval_pairs:  # nothing else asks for the interval
        places = np.split(np.arange(len(flat)), ends[:-1])
        sums = [np.array([side[part].sum(axis=0) for part in places]) for side in (one, other)]
        low, _ = bootstrap_interval(sums[0], sums[1], replies.bleu, margins)
        decision = decide(replace(evidence, low=low), margins)
    return {"pass": "promoted", "worse": "rejected"}.get(decision, "held")


def simulate(draw: Draw, replies: Replies, n: int, trials: int, margins: GateMargins) -> Verdicts:
    """Shares of *trials* that end in each verdict."""
    counted = dict.fromkeys(("promoted", "held", "rejected"), 0)
    for _ in range(trials):
        counted[verdict(replies, draw.clusters(n), margins)] += 1
    return {name: count / trials for name, count in counted.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """What came of *loss* on so many held-out pairs of *world*."""

    world: World
    n: int
    loss: float
    found: Verdicts


def rows_of(
    replies: Replies, worlds: Iterable[World], sizes: Sequence[int], trials: int, margins: GateMargins
) -> Iterator[Row]:
    """Simulate everything, a row at a time."""
    for world in worlds:
        for n in sizes:
            for loss in LOSSES:
                draw = Draw(replies, world, loss, f"{world.name}/{n}/{loss}")
                yield Row(world, n, loss, simulate(draw, replies, n, trials, margins))


def goals_of(rows: Sequence[Row], trials: int) -> list[Goal]:
    """What was to be reached in each world, at the size where it is furthest off."""
    found = []
    for world in dict.fromkeys(row.world for row in rows):
        equal = [(row.found["rejected"], row.n) for row in rows if row.world == world and row.loss == 0]
        slipped = [
            (row.found["promoted"], row.n) for row in rows if row.world == world and row.loss == TENTH and row.n >= 100
        ]
        found.append(_goal(f"equally good and rejected: {world.name}", FALSE, equal, trials))
        found.append(_goal(f"a tenth lost and promoted, from 100 pairs: {world.name}", SLIPPED, slipped, trials))
    return found


def _goal(what: str, goal: float, shares: Sequence[tuple[float, int]], trials: int) -> Goal:
    """*shares* of trials, each with its number of pairs; the worst counts, with its standard error beside it."""
    if not shares:
        return Goal(what, f"<= {goal:.0%}", "", None)
    worst, n = max(shares)
    error = sqrt(worst * (1 - worst) / trials)
    return Goal(what, f"<= {goal:.0%}", f"{worst:.1%} (± {error:.1%}) with {n} pairs", worst <= goal)


def tables(rows: Sequence[Row]) -> str:
    """The rows as Markdown, a table for each world."""
    parts = [NOTE]
    for world in dict.fromkeys(row.world for row in rows):
        lines = [
            {"held-out pairs": str(row.n), "right answers lost": f"{row.loss:.0%}"}
            | {name: f"{share:.3f}" for name, share in row.found.items()}
            for row in rows
            if row.world == world
        ]
        parts.append(f"## {world.name.capitalize()}\n\n{markdown_table(lines)}")
    return "\n".join(parts)


def main() -> None:
    """Simulate and write goals and tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="JSONL with `output`; by default the canned held-out pairs")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=200, help="resamples of the interval; the gate takes more")
    options = parser.parse_args()
    replies = Replies(sorted({row["output"] for row in read_pairs(options.data or canned("heldout.jsonl"))}))
    rows = []
    for row in rows_of(replies, WORLDS, SIZES, options.trials, GateMargins(samples=options.samples)):
        rows.append(row)
        print(row.world.name, row.n, row.loss, row.found, flush=True)
    facts = {"trials": options.trials, "samples": options.samples, "answers": replies.answers}
    kept = [asdict(row) for row in rows]
    goals = goals_of(rows, options.trials)
    write_goals("gate_power", "python -m benchmarks gate_power", goals, {**facts, "rows": kept}, tables(rows))


if __name__ == "__main__":
    main()
