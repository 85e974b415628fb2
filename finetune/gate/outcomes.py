"""What became of each correction: learned, not learned, or regressed."""

from __future__ import annotations

import re

from finetune.gate.margins import GateMargins
from finetune.gate.report import GateItem, Outcome
from finetune.gate.scores import exact, sentence_chrf
from store.words import OutcomeName

_NUMBER = re.compile(r"\d+")


def outcome_of(item: GateItem, margins: GateMargins | None = None) -> Outcome:
    """How the candidate's answer to a corrected question compares with the correction and the answer before.

    *learned*: the answer is the correction (but for white space), or it is close to it (sentence chrF of at least
    ``learned_chrf``), says the same numbers, and has closed at least half of the distance that was left. The last two
    are what an operator who changed "5 days" to "7 days" looks at: there the uncorrected answer is close already.

    *regressed*: the active version said the correction, or came close to it, and the candidate no longer does; or the
    candidate is ``large_drop`` chrF points further away.

    *not learned*: anything else.
    """
    margins = margins or GateMargins()
    before, after = sentence_chrf(item.target, item.before), sentence_chrf(item.target, item.after)
    return Outcome(item.pair_id, _name(item, before, after, margins), before, after)


def _name(item: GateItem, before: float, after: float, margins: GateMargins) -> OutcomeName:
    if exact(item.target, item.after):
        return "learned"
    if exact(item.target, item.before):
        return "regressed"
    close = after >= margins.learned_chrf
    if close and (100 - after) * 2 <= 100 - before and same_numbers(item.target, item.after):
        return "learned"
    if (before >= margins.learned_chrf and not close) or before - after >= margins.large_drop:
        return "regressed"
    return "not learned"


def same_numbers(one: str, other: str) -> bool:
    """Whether two texts say the same numbers, in whatever order."""
    return sorted(_NUMBER.findall(one)) == sorted(_NUMBER.findall(other))
