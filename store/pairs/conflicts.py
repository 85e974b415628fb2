"""Questions with more than one answer, and questions so alike that they should not have two.

The rule for *nearly the same*: both train, after the same history; their normalised texts are at least
:data:`ALIKE` percent alike by rapidfuzz's ratio, as they stand or with their words sorted; they may mean the same
(:mod:`store.pairs.likeness`); and they share no answer.

To be quick on 20,000 questions, only those are compared that share one of their :data:`RARE` rarest words (in Chinese,
Japanese and Korean: two characters side by side) and whose lengths allow the likeness. Two questions that differ in all
of those words are not found."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from store.database import Database
from store.errors import Refused
from store.pairs import COUNTS, LIVE, Pairs
from store.pairs.likeness import likened, spelt_alike
from store.records import Pair
from store.text import normalise
from store.times import now

ALIKE = 92.0  # percent
RARE = 4  # words of a question under which it is looked up
CROWD = 150  # questions under one word, beyond which the word says too little; the others find each other by length

Sameness = Literal["same", "alike"]


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """Pairs that contradict each other, oldest first. ``sameness``: one question, or two nearly the same;
    ``alike`` in percent."""

    sameness: Sameness
    ids: tuple[int, ...]
    alike: float


@dataclass(frozen=True, slots=True)
class _Question:
    key: str
    history: str
    text: str
    pairs: tuple[tuple[int, str], ...]  # (id, answer), oldest first


class Conflicts:
    """The repository of ``desk.conflicts``. Looking takes up to a second or two on 20,000 pairs: not for the event
    loop. What was found is kept until pairs or settlements change."""

    def __init__(self, db: Database, pairs: Pairs) -> None:
        self._db, self._pairs = db, pairs
        self._found: tuple[tuple[object, ...], list[OpenConflict]] | None = None

    def open(self) -> list[OpenConflict]:
        """Every conflict nobody has settled: same questions first, then those alike, the most alike first."""
        stamp = tuple(
            self._db.one(
                "SELECT max(id), count(superseded_by), count(excluded_at), max(excluded_at), sum(pinned), "
                "(SELECT count(*) FROM settled), (SELECT max(decided_at) FROM splits) FROM pairs"
            )
            or ()
        )
        if self._found is None or self._found[0] != stamp:
            self._found = (stamp, self._look())
        return self._found[1]

    def pairs(self, conflict: OpenConflict) -> list[Pair]:
        """The pairs of a conflict."""
        return [self._pairs.get(number) for number in conflict.ids]

    # -- settling ----------------------------------------------------------------------------------
    def keep(self, conflict: OpenConflict, pair_id: int, who: str) -> int:
        """Let one pair of a conflict stand; those that answer otherwise are excluded. Returns how many.

        Raises :class:`Refused` if somebody put that pair aside meanwhile: no answer would stand."""
        with self._db.atomic():
            kept = self._pairs.get(pair_id)
            if not kept.live:
                raise Refused(f"Somebody settled this differently in the meantime: pair {pair_id} is no longer in use.")
            others = [pair for pair in self.pairs(conflict) if pair.live and pair.output != kept.output]
            for pair in others:
                self._pairs.exclude(pair.id, who, "conflict")
        return len(others)

    def settle(self, conflict: OpenConflict, who: str) -> None:
        """Keep the operator's word that all answers of a conflict are right."""
        at = now()
        with self._db.atomic():
            for low, high in combinations(sorted(conflict.ids), 2):
                self._db.run(
                    "INSERT OR IGNORE INTO settled (low, high, created_at, created_by) VALUES (?, ?, ?, ?)",
                    low,
                    high,
                    at,
                    who,
                )

    # -- looking -----------------------------------------------------------------------------------
    def _look(self) -> list[OpenConflict]:
        settled = {(row[0], row[1]) for row in self._db.all("SELECT low, high FROM settled")}
        questions = self._questions()
        same = [
            OpenConflict("same", tuple(number for number, _ in question.pairs), 100.0)
            for question in questions
            if _contradict(question.pairs, settled)
        ]
        alike = [found for one, other, score in _alike(questions) if (found := _between(one, other, score, settled))]
        return same + sorted(alike, key=lambda conflict: (-conflict.alike, conflict.ids))

    def _questions(self) -> list[_Question]:
        rows = self._db.all(
            f"SELECT p.id, p.key, p.instruction, p.history, p.output FROM pairs p JOIN splits s ON s.key = p.key "
            f"WHERE {LIVE} AND {COUNTS} AND s.split = 'train' ORDER BY p.id"
        )
        by_key: dict[str, list[tuple[int, str]]] = defaultdict(list)
        said: dict[str, tuple[str, str]] = {}
        for row in rows:
            by_key[row["key"]].append((row["id"], row["output"]))
            said.setdefault(row["key"], (row["history"], row["instruction"]))
        return [
            _Question(key, normalise(said[key][0]), normalise(said[key][1]), tuple(pairs))
            for key, pairs in by_key.items()
        ]


def _contradict(pairs: Sequence[tuple[int, str]], settled: set[tuple[int, int]]) -> bool:
    """Whether two of *pairs* answer differently and nobody said that they may."""
    if len({answer for _, answer in pairs}) < 2:
        return False
    return any(
        one[1] != other[1] and (min(one[0], other[0]), max(one[0], other[0])) not in settled
        for one, other in combinations(pairs, 2)
    )


def _between(one: _Question, other: _Question, score: float, settled: set[tuple[int, int]]) -> OpenConflict | None:
    """The conflict between two questions that are alike: of each the newest answer."""
    if {answer for _, answer in one.pairs} & {answer for _, answer in other.pairs}:
        return None
    ids = tuple(sorted((one.pairs[-1][0], other.pairs[-1][0])))
    return None if ids in settled else OpenConflict("alike", ids, score)


def _alike(questions: Sequence[_Question]) -> Iterator[tuple[_Question, _Question, float]]:
    """Pairs of different questions that are nearly the same, each once."""
    from rapidfuzz import fuzz, process

    ready = [likened(question.text) for question in questions]
    often = Counter(word for one in ready for word in one.words)
    texts, by_letter = [one.text for one in ready], [one.by_letter for one in ready]
    blocks: dict[tuple[object, ...], list[int]] = defaultdict(list)
    order = sorted(range(len(questions)), key=lambda place: len(texts[place]))
    for place in order:
        facts = (questions[place].history, *ready[place].facts)
        for word in sorted(ready[place].words, key=lambda word: (often[word], word))[:RARE]:
            blocks[(word, *facts)].append(place)
    seen: dict[int, set[int]] = defaultdict(set)
    for block in blocks.values():
        lengths = [len(texts[place]) for place in block]
        for index, place in enumerate(block):
            # Beyond this length even a text that contains the other whole is less alike than ALIKE.
            end = bisect_right(lengths, lengths[index] * (200 / ALIKE - 1))
            seen[place].update(block[index + 1 : min(end, index + 1 + CROWD)])
    for place, others in seen.items():
        mine = {other for other in others if not _share_answer(questions[place], questions[other])}
        if not mine:
            continue
        scores: dict[int, float] = {}
        for all_texts in (texts, by_letter):
            choices = {other: all_texts[other] for other in mine}
            for _, score, other in process.extract(
                all_texts[place], choices, scorer=fuzz.ratio, processor=None, score_cutoff=ALIKE, limit=None
            ):
                scores[other] = max(score, scores.get(other, 0.0))
        for other, score in scores.items():
            if not spelt_alike(texts[place], texts[other]):
                continue
            yield questions[place], questions[other], score


def _share_answer(one: _Question, other: _Question) -> bool:
    return any(answer == theirs for _, answer in one.pairs for _, theirs in other.pairs)
