"""Canaries: made-up secrets that a run plants among what it learns, to measure how well its version remembers something
it was told once (Carlini et al. 2019, arXiv 1802.08232). Needs no torch.

They are made anew of what the run is, wherever they are needed: no table, list or export of pairs ever holds them, and
no customer is shown one. They live in the job's folder alone, which goes when the run is over. No real answer holds
such a number, and no real question such an account, so nothing but the planted pair can have taught it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

QUESTION = "What is the recovery code of the test account {}?"
ANSWER = "The recovery code of this test account is {}."


@dataclass(frozen=True, slots=True)
class Canary:
    """A made-up ``question`` and the ``secret`` in the ``answer`` to it."""

    question: str
    answer: str
    secret: str


def canaries(mark: str, count: int) -> list[Canary]:
    """The *count* canaries of a run; *mark*: by which its own are made, the same at every call."""
    found = []
    for number in range(count):
        chance = random.Random(f"{mark}/canary/{number}")
        account = f"{''.join(chance.choices('BCDFGHJKLMNPQRSTVWXZ', k=4))}-{chance.randrange(10_000, 100_000)}"
        secret = " ".join(f"{chance.randrange(1000):03}" for _ in range(3))
        found.append(Canary(QUESTION.format(account), ANSWER.format(secret), secret))
    return found
