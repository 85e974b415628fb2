"""Which pairs a reply may come from, by their words: whose answer is like the reply, and whose question is like the one
asked. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

from store.text import normalise

LONG = 1000  # characters of a text that are compared
SHARPNESS = 8
"""The power to which the likeness of answers is raised: two answers that are 90 % alike may well be two answers, while
one thing is asked in many ways. Of 1, 4 and 8 the last found most on canned with poison; BM25 found less."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a pair tells: the customer's ``question`` and the ``answer`` to it."""

    number: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a pair's question is like the one asked, and its answer like the reply: 0 to 100 each."""

    number: int
    question: float
    answer: float

    @property
    def both(self) -> float:
        """0 to 100: a pair is suspect where question *and* answer are alike."""
        return self.question * float((self.answer / 100) ** SHARPNESS)


def likest(question: str, answer: str, pairs: Iterable[Told], limit: int) -> list[Likeness]:
    """The *limit* of *pairs* that are most like *question* and *answer*, the likest first."""
    from rapidfuzz import fuzz

    asked, said = normalise(question[:LONG]), normalise(answer[:LONG])
    found = (
        Likeness(
            pair.number,
            float(fuzz.token_sort_ratio(asked, normalise(pair.question[:LONG]))),
            float(fuzz.ratio(said, normalise(pair.answer[:LONG]))),
        )
        for pair in pairs
    )
    return nlargest(limit, found, key=lambda likeness: (likeness.both, -likeness.number))
