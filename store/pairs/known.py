"""What is known at once: a question nearly the same as a corrected one is answered with the operator's own words.

A live correction answers as long as the active version was not trained on it, or was and is known not to say it: by
the gate, or by its recall. It answers a question if

- both may mean the same (:mod:`store.pairs.likeness`) and are at least :data:`AT_LEAST` percent alike by rapidfuzz's
  ratio, as they stand or with their words sorted;
- it is ahead by :data:`AHEAD` percent points of every question on the desk that has another answer, so that a
  correction never takes its neighbour's question; word for word the same question only has to be the only one;
- it was given after the same history; or its history is how this conversation began, and the question has
  :data:`ALONE` words, which is enough to be understood alone;
- nobody said of this answer that it was wrong for this question.

Both numbers are from ``python -m benchmarks at_once``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from store.database import Database
from store.database.cells import EXCHANGES, cell
from store.pairs.conditions import COUNTS, LIVE, SEEN_BY_ACTIVE
from store.pairs.likeness import Likened, likened, spelt_alike
from store.pairs.pairs import Pairs
from store.text import normalise
from store.words import Exchange

AT_LEAST = 90.0  # percent
AHEAD = 10.0  # percent points
WORD_FOR_WORD = 100.0  # percent
ALL_BUT = 99.9  # percent: the same words, but in another order or with other marks between them
ALONE = 4  # words; in Chinese, Japanese and Korean, places where two characters stand side by side
# The corrections that the active version is known not to say: of each, what the last run up to its own found counts.
# Asked once for all of them, since answers that were judged have no index by pair.
_NOT_SAID = """p.id IN (SELECT pair_id FROM (
    SELECT pair_id, max(outcome IS 'learned') AS learned, row_number() OVER (PARTITION BY pair_id ORDER BY run_id DESC)
        AS place
    FROM judged_answers WHERE kind IN ('correction', 'taught') AND run_id <= (SELECT v.run_id FROM adapter_versions v
        WHERE v.name = (SELECT version FROM promotions ORDER BY id DESC LIMIT 1))
    GROUP BY pair_id, run_id) WHERE place = 1 AND NOT learned)"""


@dataclass(frozen=True, slots=True)
class Known:
    """The answer of a correction, by the id of its pair. ``likeness``: of the two questions, in percent; ``ahead``: of
    the nearest question with another answer, in percent points."""

    pair_id: int
    answer: str
    likeness: float
    ahead: float


@dataclass(frozen=True, slots=True)
class _Question:
    pair_id: int
    text: str  # normalised
    ready: Likened
    history: tuple[Exchange, ...]
    answer: str


class KnownAnswers:
    """The repository of ``desk.known``. The first look on 10,000 pairs takes half a second, later ones some ten
    milliseconds: not for the event loop."""

    def __init__(self, db: Database, pairs: Pairs) -> None:
        self._db, self._pairs = db, pairs
        self._stamp: tuple[object, ...] = ()
        self._live: dict[int, _Question] = {}

    def answer(self, question: str, history: Sequence[Exchange] = ()) -> Known | None:
        """What a correction says to *question* after *history*; None if none is near enough."""
        found = self.nearest(question, history)
        if found is None or found.ahead <= 0:
            return None
        return (
            found if found.likeness == WORD_FOR_WORD or (found.likeness >= AT_LEAST and found.ahead >= AHEAD) else None
        )

    def nearest(self, question: str, history: Sequence[Exchange] = ()) -> Known | None:
        """The correction that is most like *question*, however little, if it may mean the same at all."""
        asked = _Question(0, normalise(question), likened(question), _normal(history), "")
        scored = [(_likeness(asked, one), one) for one in self._corrections() if _may_answer(one, asked)]
        if not scored:
            return None
        likeness, best = max(scored, key=lambda item: (item[0], item[1].pair_id))
        rival = max(self._rivals(asked, best), default=0.0)
        return Known(best.pair_id, best.answer, likeness, likeness - rival)

    def stands(self, known: Known) -> bool:
        """Whether what was found is still what the desk says: nobody has put the pair aside or erased it since."""
        return self._db.one(f"SELECT 1 FROM pairs p WHERE p.id = ? AND {LIVE}", known.pair_id) is not None

    # -- what is compared --------------------------------------------------------------------------
    def _corrections(self) -> list[_Question]:
        rows = self._db.all(
            f"SELECT p.id FROM pairs p WHERE p.source = 'correction' AND {LIVE} AND {COUNTS} "
            f"AND {self._pairs.may_train()} AND (NOT {SEEN_BY_ACTIVE} OR {_NOT_SAID})"
        )
        if not rows:
            return []
        self._refresh()
        return [self._live[row["id"]] for row in rows if row["id"] in self._live]

    def _rivals(self, asked: _Question, best: _Question) -> Iterator[float]:
        """How alike the questions with another answer are, and those for which *best* was found wrong."""
        from rapidfuzz import fuzz, process

        others = [
            one for one in self._live.values() if one.ready.facts == asked.ready.facts and one.answer != best.answer
        ]
        yield from (WORD_FOR_WORD for one in others if one.text == asked.text)
        for mine, theirs in (
            (asked.ready.text, [one.ready.text for one in others]),
            (asked.ready.by_letter, [one.ready.by_letter for one in others]),
        ):
            if (found := process.extractOne(mine, theirs, scorer=fuzz.ratio, processor=None)) is not None:
                yield min(ALL_BUT, float(found[1]))
        for row in self._db.all(
            "SELECT m.text FROM replies r JOIN turns b ON b.id = r.turn_id JOIN turns m ON m.id = b.in_reply_to "
            "WHERE r.from_correction = ? AND r.judgement = 'rejected'",
            best.pair_id,
        ):
            yield _likeness(asked, _Question(0, normalise(row["text"]), likened(row["text"]), (), ""))

    def _refresh(self) -> None:
        """Make ready what is new. A live pair's text never changes, so only ids are compared."""
        stamp = tuple(
            self._db.one("SELECT max(id), count(superseded_by), count(excluded_at), max(excluded_at) FROM pairs") or ()
        )
        if stamp == self._stamp:
            return
        ids = {row["id"] for row in self._db.all(f"SELECT p.id FROM pairs p WHERE {LIVE} AND {COUNTS}")}
        live = {number: one for number, one in self._live.items() if number in ids}
        new = json.dumps(sorted(ids - live.keys()))
        for row in self._db.all(
            "SELECT id, instruction, history, output FROM pairs WHERE id IN (SELECT value FROM json_each(?)) "
            "AND json_valid(history)",
            new,
        ):
            history = tuple((side[0], side[1]) for side in cell(row["history"], EXCHANGES, []) if len(side) == 2)
            question = normalise(row["instruction"])
            live[row["id"]] = _Question(row["id"], question, likened(question), _normal(history), row["output"])
        self._live, self._stamp = live, stamp


def _normal(history: Sequence[Exchange]) -> tuple[Exchange, ...]:
    return tuple((normalise(customer), normalise(bot)) for customer, bot in history)


def _likeness(one: _Question, other: _Question) -> float:
    from rapidfuzz import fuzz

    if one.text == other.text:
        return WORD_FOR_WORD
    mine, theirs = one.ready, other.ready
    return min(99.9, max(fuzz.ratio(mine.text, theirs.text), fuzz.ratio(mine.by_letter, theirs.by_letter)))


def _may_answer(correction: _Question, asked: _Question) -> bool:
    """Whether both may mean the same, here."""
    return (
        correction.ready.facts == asked.ready.facts
        and spelt_alike(correction.ready.text, asked.ready.text)
        and _belongs(correction.history, asked)
    )


def _belongs(history: tuple[Exchange, ...], asked: _Question) -> bool:
    if history == asked.history:
        return True
    return history == asked.history[: len(history)] and len(asked.ready.words) >= ALONE
