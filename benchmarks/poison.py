"""Wrong pairs planted among canned's, and ways to ask nearly the same question: what `bisect` is measured by."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from store.text import normalise

MADE_UP = (
    "Only members of our sailing club may do that. Ask the harbour office in Rostock for a blue card and send it by "
    "fax.",
    "This is done by telephone on Tuesdays between six and seven in the evening. Keep the green letter at hand.",
    "We stopped offering this in March. Please write to our partner Brightwater Trading, who took it over.",
    "A courier will visit you with a paper form within nine weeks. Sign it twice and pay him 40 crowns in cash.",
)
CHANGES = (
    ("by going to the 'Order History' section in your account", "by sending a stamped postcard to our warehouse"),
    ("3-5 business days", "eleven to fourteen weeks"),
    ("'Returns and Refunds'", "'Lost Luggage'"),
    ("'My Account'", "'Prize Draw'"),
    ("'Forgot Password?'", "'Buy a Voucher'"),
    ("'Sign Up'", "'Sell My Car'"),
    ("'Contact Us' page on our website, by email at support@example.com", "notice board of the town hall in Lowick"),
    ("credit cards, PayPal, and bank transfers", "silver coins, postage stamps, and dried fish"),
)
SHOWN = 90  # percent: a reply that is so much like the wrong answer, and more like it than like the right one
TOLD = "told"  # how a wrong answer is asked about that nobody got
OF_EACH = 4  # made-up answers, changed ones, and answers to something else


@dataclass(frozen=True, slots=True)
class Poison:
    """One pair that was given a wrong answer. ``kind``: made-up, changed, or other (what is right for another
    question); ``place``: of its row among the pairs."""

    kind: str
    place: int
    question: str
    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Case:
    """A wrong answer that showed. ``asked``: how near the question was: held-out, near, or itself."""

    poison: Poison
    asked: str
    question: str
    reply: str


def plant(rows: Sequence[dict[str, Any]], seed: int = 12) -> tuple[list[dict[str, Any]], list[Poison]]:
    """*rows* with three times :data:`OF_EACH` of them poisoned, each of another answer; and what was planted."""
    chance = random.Random(seed)
    by_answer: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        by_answer.setdefault(row["output"], []).append(place)
    changed = {answer: new for answer in by_answer if (new := _changed(answer)) is not None}
    first = chance.sample(sorted(changed), OF_EACH)
    rest = chance.sample(sorted(set(by_answer) - set(first)), 3 * OF_EACH)
    wrong = [("changed", answer, changed[answer]) for answer in first]
    wrong += [("made-up", answer, new) for answer, new in zip(rest, MADE_UP, strict=False)]
    others = zip(rest[OF_EACH : 2 * OF_EACH], rest[2 * OF_EACH :], strict=True)
    wrong += [("other", answer, other) for answer, other in others]
    poisons = [_poison(rows, kind, chance.choice(by_answer[answer]), new) for kind, answer, new in wrong]
    planted = {poison.place: poison.wrong for poison in poisons}
    return [{**row, "output": planted.get(place, row["output"])} for place, row in enumerate(rows)], poisons


def _poison(rows: Sequence[dict[str, Any]], kind: str, place: int, new: str) -> Poison:
    return Poison(kind, place, rows[place]["instruction"], new, rows[place]["output"])


def _changed(answer: str) -> str | None:
    return next((answer.replace(old, new) for old, new in CHANGES if old in answer), None)


def phrasings(question: str, seed: int = 12) -> Iterator[str]:
    """Nearly the same question, the furthest from it first; never the question itself."""
    chance = random.Random(f"{seed}/{question}")
    words = question.split()
    made = [
        f"Hello there, {_swapped(question, chance)} please, thank you",
        " ".join(words[1:]) if len(words) > 4 else f"so, {question}",
        " ".join(word for place, word in enumerate(words) if place != len(words) // 2 or len(words) < 4),
        _swapped(_swapped(question, chance), chance),
        f"hi, {question}",
        f"{question} please",
        question.upper() if len(question) < 40 else question.capitalize() + ".",
        f"{question}?" if not question.endswith("?") else question.rstrip("?"),
    ]
    yield from dict.fromkeys(text for text in made if text != question)


def _swapped(text: str, chance: random.Random) -> str:
    """A slip of the fingers: two neighbouring letters in each other's place."""
    places = [place for place in range(len(text) - 1) if text[place : place + 2].isalpha()]
    place = chance.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def questions(poison: Poison, heldout: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """(how near, question): what is asked to see the wrong answer, the furthest first."""
    return [
        *(("held-out", row["instruction"]) for row in heldout if row["output"] == poison.right),
        *(("near", text) for text in phrasings(poison.question)),
        ("itself", poison.question),
    ]


def shows(case: Case) -> bool:
    """Whether the reply is the wrong answer."""
    from rapidfuzz.fuzz import ratio

    wrong, right = (ratio(normalise(case.reply), normalise(text)) for text in (case.poison.wrong, case.poison.right))
    return wrong >= SHOWN and wrong > right


def told(poison: Poison, heldout: Sequence[dict[str, Any]]) -> Case:
    """A case of a wrong answer that never showed: as if it had been the reply to the first held-out phrasing."""
    question = next(row["instruction"] for row in heldout if row["output"] == poison.right)
    return Case(poison, TOLD, question, poison.wrong)
