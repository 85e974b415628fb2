"""Where a reply has begun to repeat itself. A base without training loops until its limit, and that is the first that a
newcomer sees of it. Every back end ends such a reply by this one rule, served and judged alike. Nothing here needs
torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

LONGEST = 80  # tokens of a piece that is said again: three of them fit into a reply of 256
TIMES = 3  # a piece is said in a row before that counts: twice is emphasis
LEAST = 24  # tokens that a piece and its repetitions have in all: a row of dashes is none
SEEN = LONGEST * TIMES  # of a reply's last tokens, those that decide


def repeats(new: Sequence[int]) -> bool:
    """Whether the tokens *new* of a reply end in a piece of up to :data:`LONGEST` tokens that was said
    :data:`TIMES` times in a row, to the token."""
    return _size(new) is not None


def said_once(new: Sequence[int]) -> int | None:
    """After how many of the tokens *new* the piece that they repeat at their end was said once; None if they repeat
    nothing. What comes before that stays."""
    size = _size(new)
    if size is None:
        return None
    begin = len(new) - TIMES * size
    while begin > 0 and new[begin - 1] == new[begin - 1 + size]:
        begin -= 1
    return begin + size


def _size(new: Sequence[int]) -> int | None:
    """How many tokens the repeated piece has, the smallest if several fit."""
    for size in range(1, min(LONGEST, len(new) // TIMES) + 1):
        length = size * max(TIMES, math.ceil(LEAST / size))
        if length > len(new) or new[-1] != new[-1 - size]:
            continue
        if all(new[-place] == new[-place - size] for place in range(2, length - size + 1)):
            return size
    return None
