"""``python -m benchmarks at_once``: how often a correction answers at once, and how often wrongly. No model is needed.

On a desk some answers are unknown but for one correction each. Asked are other phrasings of the corrected questions,
and questions that the corrections have nothing to do with: the desk's own in phrasings it has not seen, and strangers.
Where a set has one phrasing a question, the others are made of it as customers type: without capitals and marks, with
two letters swapped, with a greeting before it.

Thresholds are chosen with the corrections of one half of the answers, and judged with those of the other half."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.common import ROOT, Goal, canned, markdown_table, read_pairs, skip, write_goals
from store.desk import Desk
from store.pairs import NewPair
from store.pairs.known import AHEAD, AT_LEAST
from store.sample import sample_rows

COMMAND = "python -m benchmarks at_once"
Half = str  # "development" or "test"
HALVES: tuple[Half, Half] = ("development", "test")
LIKENESSES = (75.0, 80.0, 85.0, 88.0, 90.0, 92.0, 95.0)
LEADS = (0.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0)
ALLOWED = 0.01  # of other questions answered from a correction
GIVEN_UP = 0.01  # of the answers, for the strictest thresholds: a question with one word more may be another question
CHOSEN_WITHIN = 0.005  # on the development part: what is chosen at the edge falls over it elsewhere
PAIRS, OTHERS = 2000, 1000  # of sets with one phrasing a question: the desk's pairs, and other questions asked


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: whether it is a corrected one in other words, the nearest correction's likeness and lead in percent
    (0 where none may mean the same), and whether its answer is the right one."""

    own: bool
    likeness: float
    ahead: float
    right: bool

    def answered(self, at_least: float, ahead: float) -> bool:
        """Whether the correction answers."""
        return self.ahead > 0 and (self.likeness == 100 or (self.likeness >= at_least and self.ahead >= ahead))


@dataclass(frozen=True, slots=True)
class Trial:
    """A desk and what is asked of it. ``corrections`` and ``own``: (question, answer); ``live``: its other pairs."""

    live: list[tuple[str, str]]
    corrections: list[tuple[str, str]]
    own: list[tuple[str, str]]
    others: list[str]


def main() -> None:
    """Measure, print, and keep the tables."""
    options = argparse.ArgumentParser(prog=COMMAND)
    options.add_argument("--seeds", type=int, default=3, help="desks of each set with several phrasings")
    options.add_argument("--show", type=int, default=0, help="print so many of the wrong answers, and keep nothing")
    chosen = options.parse_args()
    asked: dict[tuple[str, Half], list[Asked]] = defaultdict(list)
    for name, half, trial in trials(chosen.seeds):
        asked[name, half] += ask(trial, chosen.show)
    if not chosen.show:
        keep(asked)


# -- what is asked ---------------------------------------------------------------------------------
def trials(seeds: int) -> Iterator[tuple[str, Half, Trial]]:
    """Every desk, with the set it comes from and the half whose answers are corrected."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "esp_faq_en.jsonl").is_file():
        skip(f"The openly licensed sets are not at {folder}.")
    single = {name: _questions(folder / f"{name}.jsonl") for name in ("esp_faq_en", "dstc9_faq", "esp_faq_zh")}
    strangers = [question for question, _ in single["esp_faq_en"]]
    grouped = {
        "canned": [(row["instruction"], row["output"]) for file in ("train.jsonl", "heldout.jsonl")
                   for row in read_pairs(canned(file))],
        "sample desk": [(row["instruction"], row["output"]) for row in sample_rows()],
    }  # fmt: skip
    for half, seed in product(HALVES, range(seeds)):
        for name, rows in grouped.items():
            yield name, half, several(rows, half, random.Random(seed), strangers)
    for half in HALVES:
        for name, rows in single.items():
            yield name, half, one_each(rows, half, random.Random(0))


def _questions(path: Path) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for row in read_pairs(path):
        found.setdefault(row["instruction"], row["output"])
    return list(found.items())


def several(rows: Sequence[tuple[str, str]], half: Half, chance: random.Random, strangers: Sequence[str]) -> Trial:
    """Ten answers of *half* known by one correction each; of the others every fourth phrasing is asked."""
    by_answer: dict[str, list[str]] = defaultdict(list)
    for question, answer in rows:
        by_answer[answer].append(question)
    answers = sorted(by_answer)
    chance.shuffle(answers)
    mine = sorted(answers)[HALVES.index(half) :: 2]
    corrected = set(chance.sample(mine, min(10, len(mine))))
    trial = Trial([], [], [], chance.sample(list(strangers), 40))
    for answer in answers:
        questions = list(dict.fromkeys(by_answer[answer]))
        chance.shuffle(questions)
        if answer in corrected:
            trial.corrections.append((questions[0], answer))
            trial.own.extend((question, answer) for question in questions[1:])
        else:
            seen = max(1, len(questions) * 3 // 4)
            trial.live.extend((question, answer) for question in questions[:seen])
            trial.others.extend(questions[seen:])
    return trial


def one_each(rows: Sequence[tuple[str, str]], half: Half, chance: random.Random) -> Trial:
    """A hundred questions of *half* corrected, and asked as customers type; other questions of the set asked that the
    desk does not have."""
    rows = sorted(rows)
    chance.shuffle(rows)
    corrected = rows[HALVES.index(half) :: 2][:100]
    known = {question for question, _ in corrected}
    rest = [row for row in rows if row[0] not in known]
    live = rest[: min(PAIRS, len(rest) * 2 // 3)]
    others = [question for question, _ in rest[len(live) :]][:OTHERS]
    own = [(typed, answer) for question, answer in corrected for typed in as_typed(question, chance)]
    return Trial(live, corrected, own, others)


def as_typed(question: str, chance: random.Random) -> list[str]:
    """*question* without capitals and marks, with two letters swapped, and with a greeting."""
    chinese = any("一" <= letter <= "鿿" for letter in question)
    bare = "".join(letter for letter in question if letter.isalnum() or letter.isspace()).lower()
    places = [place for place in range(len(bare) - 1) if bare[place : place + 2].isalpha()]
    place = chance.choice(places) if places else 0
    swapped = bare[:place] + bare[place : place + 2][::-1] + bare[place + 2 :]
    return [bare, swapped, f"你好，{question}" if chinese else f"Hi, {question}"]


# -- asking ----------------------------------------------------------------------------------------
def ask(trial: Trial, show: int = 0) -> list[Asked]:
    """Every question of *trial*, asked of its desk."""
    with tempfile.TemporaryDirectory() as folder, Desk.open(Path(folder) / "desk") as desk:
        desk.pairs.add_many((NewPair(question, answer) for question, answer in trial.live), "import", "benchmark")
        for question, answer in trial.corrections:
            desk.pairs.add(NewPair(question, answer), "correction", "benchmark")
        found = [_ask(desk, question, answer) for question, answer in trial.own]
        found += [_ask(desk, question, None) for question in trial.others]
    if show:
        _show(trial, found, show)
    return found


def _ask(desk: Desk, question: str, answer: str | None) -> Asked:
    known = desk.known.nearest(question)
    if known is None:
        return Asked(answer is not None, 0.0, 0.0, False)
    return Asked(answer is not None, known.likeness, known.ahead, known.answer == answer)


def _show(trial: Trial, found: Sequence[Asked], most: int) -> None:
    questions = [question for question, _ in trial.own] + trial.others
    wrong = [
        (question, one)
        for question, one in zip(questions, found, strict=True)
        if one.answered(AT_LEAST, AHEAD) and not one.right
    ]
    for question, one in wrong[:most]:
        print(json.dumps({"question": question, "likeness": one.likeness, "ahead": one.ahead}, ensure_ascii=False))


# -- telling ---------------------------------------------------------------------------------------
def share(found: Sequence[bool]) -> float:
    """How many of *found* are true: 0 to 1."""
    return sum(found) / len(found) if found else 0.0


def rates(asked: Sequence[Asked], at_least: float, ahead: float) -> tuple[float, float, float]:
    """Of phrasings of corrected questions: the share answered rightly, and wrongly; of others: answered at all."""
    own, others = [one for one in asked if one.own], [one for one in asked if not one.own]
    fires = [one.answered(at_least, ahead) for one in own]
    return (
        share([fired and one.right for fired, one in zip(fires, own, strict=True)]),
        share([fired and not one.right for fired, one in zip(fires, own, strict=True)]),
        share([one.answered(at_least, ahead) for one in others]),
    )


def choose(sets: Sequence[Sequence[Asked]]) -> tuple[float, float]:
    """The strictest likeness and lead that answer, on average over *sets*, at most :data:`GIVEN_UP` less than the best
    of those that are wrong within :data:`CHOSEN_WITHIN` in each."""

    def worth(thresholds: tuple[float, float]) -> float:
        found = [rates(asked, *thresholds) for asked in sets]
        fits = all(max(wrong, others) <= CHOSEN_WITHIN for _, wrong, others in found)
        return sum(right for right, _, _ in found) / len(sets) if fits else -1.0

    worths = {thresholds: worth(thresholds) for thresholds in product(LIKENESSES, LEADS)}
    return max(one for one, worthy in worths.items() if worthy >= max(worths.values()) - GIVEN_UP)


def keep(asked: dict[tuple[str, Half], list[Asked]]) -> None:
    """Write the tables."""
    names = list(dict.fromkeys(name for name, _ in asked))
    best = choose([asked[name, "development"] for name in names])
    rows, goals = [], []
    shown: dict[bool, list[str]] = {True: [], False: []}  # of sets with one phrasing a question, and of others
    for name, half in product(names, HALVES):
        here = asked[name, half]
        right, wrong, others = rates(here, AT_LEAST, AHEAD)
        own = sum(one.own for one in here)
        rows.append(
            {
                "set": name,
                "part": half,
                "phrasings of corrected questions": f"{own:,}",
                "answered at once": f"{right:.1%}",
                "with another's answer": f"{wrong:.1%}",
                "other questions": f"{len(here) - own:,}",
                "answered wrongly": f"{others:.2%}",
            }
        )
        if half == "test":
            shown["_" in name].append(f"{name} {right:.0%}")
            measured = f"{others:.2%} of {len(here) - own:,}, {wrong:.2%} of {own:,}"
            goals.append(Goal(f"{name}: answered wrongly, of other questions and of corrected ones", "<= 1 %", measured,
                              max(others, wrong) <= ALLOWED))  # fmt: skip
    told = f"in other words: {', '.join(shown[False])}; the same as customers type it: {', '.join(shown[True])}"
    what = "unseen phrasings of a corrected question that get the operator's words"
    goals.insert(0, Goal(what, "shown", told, True))
    text = (
        f"{(__doc__ or '').partition('No model is needed.')[2].strip()}\n\n"
        f"In force: at least {AT_LEAST:g} percent alike and {AHEAD:g} percent points ahead. The development part "
        f"chooses {best[0]:g} and {best[1]:g} (the strictest within {GIVEN_UP:.0%} of "
        f"the most answers, with at most {CHOSEN_WITHIN:.1%} wrong in every set).\n\n"
        f"{markdown_table(rows)}\n{_sweep(asked, names)}"
    )
    write_goals("at_once", COMMAND, goals, {"rows": rows, "chosen": best}, text)


def _sweep(asked: dict[tuple[str, Half], list[Asked]], names: Sequence[str]) -> str:
    """What other thresholds do on the development part."""
    rows = []
    for at_least, ahead in product(LIKENESSES, (0.0, 5.0, 10.0, 20.0)):
        row = {"at least": f"{at_least:g}", "ahead": f"{ahead:g}"}
        for name in names:
            right, wrong, others = rates(asked[name, "development"], at_least, ahead)
            row[name] = f"{right:.0%} / {max(wrong, others):.2%}"
        rows.append(row)
    return (
        "Development part, by thresholds: phrasings answered rightly / the larger share of wrong answers, to phrasings "
        f"or to other questions.\n\n{markdown_table(rows)}"
    )


if __name__ == "__main__":
    main()
