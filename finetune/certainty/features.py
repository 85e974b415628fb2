"""What is looked at of a reply, each as a number that grows with the chance that the reply stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from finetune.certainty.nearness import Nearness, same_words

NEAREST = 10  # pairs that are looked at
SAYS = 90.0  # percent of rapidfuzz's ratio from which a reply says what a pair's answer says


@dataclass(frozen=True, slots=True)
class Said:
    """A reply: the ``question`` it answers, its ``text``, and the mean and the least natural logarithm of its tokens'
    probabilities, None where nobody measured them."""

    question: str
    text: str
    certainty: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """All from 0 to 1 but ``lead``, which goes from -1 to 1."""

    sure: float  # the geometric mean of its tokens' probabilities
    least: float  # the probability of its least likely token
    like: float  # how much the nearest question that was taught is like the one it answers
    agree: float  # the same of the nearest question that was taught this answer; 0 without one
    lead: float  # by how much that is nearer than the nearest question that was taught another answer
    verbatim: float  # 1 if it is, word for word, an answer that was taught


COUNT = len(fields(Features))
UNMEASURED = 0.9  # what counts as sure where an engine does not measure it: about what a version is of its own answers


def features_of(said: Said, taught: Nearness | None) -> Features:
    """The features of a reply of a version that was taught *taught* (None: nothing). Takes some milliseconds for ten
    thousand pairs."""
    near = [] if taught is None else taught.nearest(said.question, NEAREST)
    exact = None if taught is None else taught.nearest_saying(said.question, said.text)
    agree = max([one.likeness for one in near if _says(said.text, one.taught.answer)], default=0.0)
    agree = max(agree, exact.likeness if exact is not None else 0.0)
    others = [one.likeness for one in near if not _says(said.text, one.taught.answer)]
    return Features(
        sure=UNMEASURED if said.certainty is None else math.exp(min(0.0, said.certainty)),
        least=UNMEASURED / 2 if said.least is None else math.exp(min(0.0, said.least)),
        like=near[0].likeness if near else 0.0,
        agree=agree,
        lead=agree - max(others, default=0.0),
        verbatim=float(exact is not None),
    )


def vector(features: Features) -> Sequence[float]:
    """The features as the model takes them: a 1 for the constant, then each."""
    return (1.0, *astuple(features))


def _says(reply: str, answer: str) -> bool:
    """Whether two answers are the same but for a word."""
    from rapidfuzz import fuzz

    return same_words(reply) == same_words(answer) or fuzz.ratio(reply, answer, score_cutoff=SAYS) > 0
