"""How much of a row is learned in which pass.

A desk teaches one answer by several phrasings of its question. Which answer it is shows within a few tokens; what
follows depends on the answer's beginning far more than on the phrasing. So in each pass some of an answer's phrasings
teach it whole, in turns, and the others teach its opening alone: up to where it differs from every other answer of the
desk, and some tokens more. A pass then takes a fraction of the tokens, and in the same time a phrasing is seen more
often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from finetune.objectives.objective import Row
from finetune.train.plan import WHOLE_SHARE


class Openings:
    """Lengths in tokens of the rows of a training, by pass. ``tokens``: of an answer's opening, past where it differs
    from all others; 0: every row is always learned whole."""

    def __init__(self, rows: Iterable[Row], tokens: int) -> None:
        answers: dict[tuple[int, ...], list[int]] = {}
        self._whole: list[int] = []
        starts, originals = list[int](), list[int]()
        for place, row in enumerate(rows):
            self._whole.append(len(row["input_ids"]))
            starts.append(row["answer_start"])
            originals.append(row.get("original", place))
            answers.setdefault(tuple(row["input_ids"][row["answer_start"] :]), []).append(place)
        self._cut = list(self._whole)
        self._turn = [(0, 1, 1)] * len(self._whole)  # of each row: which of its answer's, of how many, how many at once
        if not tokens:
            return
        shared = _shared(sorted(answers))
        for answer, places in answers.items():
            numbers = {original: number for number, original in enumerate(dict.fromkeys(originals[p] for p in places))}
            at_once = math.ceil(WHOLE_SHARE * len(numbers))
            for place in places:
                self._turn[place] = (numbers[originals[place]], len(numbers), at_once)
                self._cut[place] = min(self._whole[place], starts[place] + shared[answer] + tokens)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self._whole)

    def length(self, place: int, epoch: int) -> int:
        """Tokens of the row at *place* that count in pass *epoch*, from the first one on."""
        number, of, at_once = self._turn[place]
        whole = (number - epoch * at_once) % of < at_once
        return self._whole[place] if whole else self._cut[place]


def _shared(answers: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    """For each of *answers*, which are sorted and differ, how many tokens it begins with that another begins with too:
    the one most like it stands beside it."""
    found = dict.fromkeys(answers, 0)
    for one, other in pairwise(answers):
        same = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        found[one], found[other] = max(found[one], same), max(found[other], same)
    return found
