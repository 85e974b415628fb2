"""What a version was taught that is like a question: by the letters they share, rare ones first.

Texts are compared by the cosine of their trigrams of letters, weighed by rarity (tf-idf), which forgives spelling and
endings of words. (Chinese, Japanese and Korean: single characters and pairs of them.) On `canned` that tells held-out
questions from those of another desk in 99 % of cases; rapidfuzz's WRatio, which finds "do I" in any question, in 56 %.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest

from store.text import CJK, normalise

LONG = 1000  # characters of a question that are compared
LOOKED_AT = 20_000  # entries of the index a question may touch: some milliseconds, whatever the desk's size
COMPARED = 60  # questions that are compared in full, of those that share the rarest letters
SAME_ANSWER = 200  # questions with one answer that are compared in full
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Taught:
    """A pair that a version was trained on, by its number."""

    number: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Near:
    """A pair and how much its question is like the one that was asked: 0 to 1."""

    taught: Taught
    likeness: float


class Nearness:
    """The index of what was taught. Building it takes about 0.1 ms a pair, a question some milliseconds: both are for a
    thread beside the event loop."""

    def __init__(self, pairs: Sequence[Taught]) -> None:
        self._pairs = pairs
        self._terms: dict[str, int] = {}
        texts = [Counter(_terms(pair.question)) for pair in pairs]
        seen = Counter(term for text in texts for term in text)
        self._rare = {term: math.log(1 + len(pairs) / often) for term, often in seen.items()}
        self._unknown = math.log(1 + len(pairs))
        self._ids: list[array[int]] = []
        self._weights: list[array[float]] = []
        self._places: dict[int, array[int]] = defaultdict(lambda: array("I"))
        self._by_answer: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(texts):
            self._add(place, text)

    def _add(self, place: int, text: Counter[str]) -> None:
        weights = self._weighed(text)
        ids = array("I", (self._terms.setdefault(term, len(self._terms)) for term in weights))
        self._ids.append(ids)
        self._weights.append(array("f", weights.values()))
        for term in ids:
            self._places[term].append(place)
        self._by_answer[same_words(self._pairs[place].answer)].append(place)

    def _weighed(self, text: Counter[str]) -> dict[str, float]:
        """The terms of a text as a vector of length 1."""
        found = {term: (1 + math.log(count)) * self._rare.get(term, self._unknown) for term, count in text.items()}
        length = math.sqrt(sum(weight * weight for weight in found.values()))
        return {term: weight / length for term, weight in found.items()}

    def nearest(self, question: str, limit: int) -> list[Near]:
        """The pairs whose questions are most like *question*, the nearest first; none that shares nothing with it."""
        asked = self._asked(question)
        return self._in_full(asked, self._candidates(asked), limit)

    def nearest_saying(self, question: str, answer: str) -> Near | None:
        """The nearest of the pairs with this very answer (but for white space); None if it was not taught."""
        found = self._by_answer.get(same_words(answer), [])[:SAME_ANSWER]
        if not found:
            return None
        asked = self._asked(question)
        place = max(found, key=lambda place: self._likeness(asked, place))
        return Near(self._pairs[place], self._likeness(asked, place))

    def _asked(self, question: str) -> dict[int, float]:
        """The terms of a question that are known, by their numbers. What is not known makes it less like anything."""
        weights = self._weighed(Counter(_terms(question)))
        return {self._terms[term]: weight for term, weight in weights.items() if term in self._terms}

    def _candidates(self, asked: dict[int, float]) -> list[int]:
        """Places that share the most with a question, as far as its weightiest terms tell."""
        shared: dict[int, float] = defaultdict(float)
        left = LOOKED_AT
        for term, weight in sorted(asked.items(), key=lambda item: -item[1] / math.sqrt(len(self._places[item[0]]))):
            places = self._places[term]
            if (left := left - len(places)) < 0 and shared:
                break
            for place in places:
                shared[place] += weight
        return nlargest(COMPARED, shared, key=lambda place: shared[place])

    def _in_full(self, asked: dict[int, float], places: Sequence[int], limit: int) -> list[Near]:
        scored = ((self._likeness(asked, place), -place) for place in places)
        best = nlargest(limit, (score for score in scored if score[0] > 0))
        return [Near(self._pairs[-place], likeness) for likeness, place in best]

    def _likeness(self, asked: dict[int, float], place: int) -> float:
        found = sum(
            asked.get(term, 0.0) * weight for term, weight in zip(self._ids[place], self._weights[place], strict=True)
        )
        return min(1.0, found)


def same_words(text: str) -> str:
    """*text* as answers are compared word for word: white space does not count."""
    return " ".join(text.split())


def _terms(text: str) -> Iterator[str]:
    for word in _WORDS.findall(normalise(text[:LONG])):
        if CJK.search(word):
            yield from word
            yield from (word[place : place + 2] for place in range(len(word) - 1))
        else:
            marked = f"<{word}>"
            yield from (marked[place : place + 3] for place in range(len(marked) - 2))
