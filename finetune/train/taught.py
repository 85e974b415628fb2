"""Which rows tell whether a training has taught what it is to teach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finetune.job import spread
from finetune.objectives.objective import Row
from finetune.train.batches import Sorted

SAMPLE = 64  # rows that are asked at most, and as many new ones: to read them takes as long as to learn a third of them


@dataclass(frozen=True, slots=True)
class Asked:
    """Places of rows: ``rows`` out of all, ``new`` out of those that are new to the version training goes on from."""

    rows: Sequence[int] = ()
    new: Sequence[int] = ()

    @classmethod
    def of(cls, rows: Iterable[Row], kinds: Sorted) -> Asked:
        """A fair sample of *rows* that are pairs of the desk, each text once; and of those that are new, if some are
        not."""
        seen: set[tuple[int, ...]] = set()
        texts: list[int] = []
        for place, row in enumerate(rows):
            text = tuple(row["input_ids"])
            pair = row.get("good", True) and not row.get("replayed") and row.get("original", place) == place
            if pair and text not in seen:
                seen.add(text)
                texts.append(place)
        known = set(kinds.known)
        new = [place for place in texts if place not in known] if known else []
        return cls(tuple(spread(texts, SAMPLE)), tuple(spread(new, SAMPLE)))
