"""How alike two questions are: the one measure by which conflicts are found and corrections are recognised.

Two questions may mean the same only if they name the same numbers and both or neither say no. The words by which they
differ are spellings of each other, or one of the two has none: "Is room 12 free?" and "Is room 13 free?" are two
questions, and so are "When is check-in?" and "When is check-out?". Chinese, Japanese and Korean have no spaces to tell
words by: there the ratio alone decides."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from store.text import CJK, normalise

SPELT = 80.0  # percent: how alike two spellings of one word are at least
_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_NUMBERS = re.compile(r"\d+")
_NO = re.compile(
    r"\b(?:no|not|never|without|cannot|none|kein\w*|nicht|ohne|ne|pas|sans|sin)\b|n't\b|不|没|無|无|ない|안|않"
)


@dataclass(frozen=True, slots=True)
class Likened:
    """A question made ready to be compared. ``text``: its words, in order; ``by_letter``: the same, sorted; ``words``:
    each once, of Chinese, Japanese and Korean every two characters side by side; ``facts``: the numbers it names, and
    whether it says no."""

    text: str
    by_letter: str
    words: frozenset[str]
    facts: tuple[tuple[str, ...], int]


def likened(question: str) -> Likened:
    """*question* made ready."""
    text = normalise(question)
    found = _WORDS.findall(text)
    facts = (tuple(_NUMBERS.findall(text)), len(_NO.findall(text)) % 2)
    return Likened(" ".join(found), " ".join(sorted(found)), frozenset(_pieces(found)), facts)


def _pieces(words: list[str]) -> set[str]:
    found: set[str] = set()
    for word in words:
        if CJK.search(word):
            found.update(word[place : place + 2] for place in range(max(1, len(word) - 1)))
        else:
            found.add(word)
    return found


def spelt_alike(one: str, other: str) -> bool:
    """Whether the words that only one of two texts has are spellings of those that only the other has."""
    from rapidfuzz import fuzz

    mine, theirs = Counter(one.split()), Counter(other.split())
    left, right = "".join((mine - theirs).elements()), "".join((theirs - mine).elements())
    swapped = len(left) > 2 and sorted(left) == sorted(right)  # "teh"
    return not left or not right or swapped or CJK.search(left + right) is not None or fuzz.ratio(left, right) >= SPELT
