"""The model that makes one number of a reply's features: a logistic regression with a prior.

Its weights can be read: each says how much its feature counts. No feature counts against a reply the more there is of
it. The prior stands in until there are pairs enough: it is where the weights would be on a desk nobody knows, and is
worth about as much as a dozen pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from finetune.certainty.features import Features, vector

SPREAD = 2.0  # standard deviation of the prior: how far a weight goes from it on little evidence
ROUNDS = 25  # of Newton's method, which needs about six
HALVED = 12  # times a step is shortened before it is given up
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature counts, in natural logarithms of the odds; ``constant``: what the odds are without any. The
    defaults are the prior: a reply that is word for word a taught answer, of a question half like one that was taught
    it, stands in 98 of 100 cases; one of a question like nothing that was taught in 10 at most."""

    constant: float = -5.0
    sure: float = 1.0
    least: float = 1.0
    like: float = 1.0
    agree: float = 9.0
    lead: float = 4.0
    verbatim: float = 1.0

    def chance(self, features: Features) -> float:
        """The chance, 0 to 1, that a reply with these *features* would be left as it stands."""
        odds = sum(weight * value for weight, value in zip(self.values, vector(features), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))

    @property
    def values(self) -> tuple[float, ...]:
        """The weights in the order of :func:`finetune.certainty.features.vector`."""
        return tuple(getattr(self, item.name) for item in fields(self))


@dataclass(frozen=True, slots=True)
class Observation:
    """A reply of which it is known whether it was ``right``. ``answer``: what should be said, by which observations
    belong together; ``taught``: whether the desk has that answer; ``weight``: how often it counts."""

    features: Features
    right: bool
    answer: str
    taught: bool
    weight: float = 1.0


def fit(seen: Sequence[Observation]) -> Weights:
    """The likeliest weights, given the prior and what was *seen*, by Newton's method with shortened steps. Nothing but
    the constant goes below 0."""
    import numpy as np

    prior = np.array(Weights().values)
    if not seen:
        return Weights()
    x = np.array([vector(one.features) for one in seen])
    sign = np.array([1.0 if one.right else -1.0 for one in seen])
    counts = np.array([one.weight for one in seen])
    lowest = np.where(np.arange(len(prior)) == 0, -np.inf, 0.0)

    def loss(weights: Any) -> float:
        far = ((weights - prior) ** 2).sum() / (2 * SPREAD**2)
        return float((counts * np.logaddexp(0, -sign * (x @ weights))).sum() + far)

    weights = prior
    for _ in range(ROUNDS):
        wrong = 1 / (1 + np.exp(np.clip(sign * (x @ weights), -50, 50)))  # the chance of what did not happen
        slope = (weights - prior) / SPREAD**2 - x.T @ (counts * sign * wrong)
        free = (weights > lowest) | (slope < 0)  # at the edge only what leads away from it
        bend = (x.T * (counts * wrong * (1 - wrong))) @ x + np.eye(len(prior)) / SPREAD**2
        step = np.zeros(len(prior))
        step[free] = np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        tries = (np.maximum(lowest, weights - step / 2**halved) for halved in range(HALVED))
        better = next((one for one in tries if loss(one) < loss(weights) - 1e-9), None)
        if better is None:
            break
        weights = better
    return Weights(*(round(float(weight), 4) for weight in weights))


def cross_fitted(seen: Sequence[Observation]) -> list[float]:
    """The chance of each of *seen* by weights that were fitted without it and without others of its answer: what the
    model says of replies it does not know."""
    answers = sorted({one.answer for one in seen})
    fold = {answer: place % FOLDS for place, answer in enumerate(answers)}
    chances = [0.0] * len(seen)
    for number in range(min(FOLDS, len(answers))):
        weights = fit([one for one in seen if fold[one.answer] != number])
        for place, one in enumerate(seen):
            if fold[one.answer] == number:
                chances[place] = weights.chance(one.features)
    return chances
