"""How sure the bot was of a reply, in words."""

from __future__ import annotations

import math

# Of the geometric mean of the tokens' probabilities.
SURE, UNSURE = 0.85, 0.6


def certainty_words(certainty: float | None) -> str:
    """*certainty* (a mean natural logarithm of probabilities) as a word and a share: "unsure, 43%"."""
    if certainty is None:
        return "certainty not measured"
    share = math.exp(min(0.0, certainty))
    word = "sure" if share >= SURE else "unsure" if share < UNSURE else "fairly sure"
    return f"{word}, {round(100 * share)}%"
