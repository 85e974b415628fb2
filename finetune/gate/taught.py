"""Taught questions: which of them a version is asked after its training, and whether it says what it was taught."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.lengths import WIDE
from finetune.gate.margins import GateMargins
from finetune.gate.measures import SAMPLE, Recall
from finetune.gate.outcomes import same_numbers
from finetune.gate.questions import FileQuestion
from finetune.gate.scores import exact, sentence_chrf
from finetune.gate.signs import flip_p
from store.records import JudgedAnswer, Pair
from store.text import clean, normalise
from store.words import Exchange, OutcomeName

LONG = 160
"""Columns (two lines of a terminal of 80; Chinese takes two columns a character) from which an answer is long: one
may be told in slightly other words and still be what was taught. A shorter one is right word for word or wrong."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A question that was taught, and all its ``answers``: several where they conflict, the newest first. ``pair_id``
    is the pair of the newest. ``known_to_active``: the version that answers now was taught one of them too."""

    pair_id: int
    instruction: str
    history: tuple[Exchange, ...]
    answers: tuple[str, ...]
    lang: str
    known_to_active: bool = False

    @property
    def question(self) -> FileQuestion:
        """It with its newest answer."""
        return FileQuestion(self.instruction, self.answers[0], self.history, self.lang)

    def questions(self) -> Iterator[FileQuestion]:
        """It with each of its answers: the longest one decides how long the reply may be."""
        return (replace(self.question, output=answer) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The taught questions that a version is asked, of ``of`` that there are."""

    asked: tuple[Taught, ...] = ()
    of: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What two versions say to a taught question; ``before`` None: the active one was not asked."""

    question: Taught
    before: str | None
    after: str


def lesson(
    pairs: Sequence[Pair], new: Collection[int] = (), active: Collection[int] = (), size: int = SAMPLE
) -> Lesson:
    """What to ask a version that was trained on *pairs*: about *size* questions, and whatever *new* pairs (by their
    ids) teach beside those. *active*: the pairs that the active version was trained on.

    They are spread evenly over the answers: one question of each, then a second one, until there are enough. Which come
    first is decided by hashes, so that the next run asks nearly the same ones, and finds what they were answered with
    in the cache."""
    questions: dict[str, list[Pair]] = {}
    for pair in pairs:
        questions.setdefault(_question_mark(pair), []).append(pair)
    places: list[tuple[int, str, str]] = []
    answered: dict[str, int] = {}
    for mark, group in sorted(questions.items()):
        answer = _hash(group[-1].output)
        places.append((answered.setdefault(answer, 0), answer, mark))
        answered[answer] += 1
    chosen = {mark for _, _, mark in sorted(places)[:size]}
    chosen |= {mark for mark, group in questions.items() if any(pair.id in new for pair in group)}
    asked = [_taught(group, active) for mark, group in questions.items() if mark in chosen]
    return Lesson(tuple(asked), len(questions))


def as_taught(answers: Sequence[str], said: str, margins: GateMargins) -> Literal["exact", "close"] | None:
    """Whether *said* is one of the *answers* that were taught: ``exact`` (but for white space), or, of a long one
    (:data:`LONG`), ``close``: a sentence chrF of ``learned_chrf`` or more, and the same numbers. None: it is not."""
    if any(exact(answer, said) for answer in answers):
        return "exact"
    near = (
        _columns(answer) >= LONG and same_numbers(answer, said) and sentence_chrf(answer, said) >= margins.learned_chrf
        for answer in answers
    )
    return "close" if any(near) else None


def recall_of(said: Sequence[Said], of: int, margins: GateMargins) -> tuple[Recall, list[JudgedAnswer]]:
    """The recall of a version that *said* this, of *of* taught questions; and its answers that are not as taught:
    *regressed* where the active version's was, else *not learned*."""
    exact_ones = taught = shared = known = lost = gained = 0
    nets: Counter[str] = Counter()  # by answer: questions gained, less those lost
    failed: list[JudgedAnswer] = []
    for one in said:
        question = one.question
        now = as_taught(question.answers, one.after, margins)
        knew = one.before is not None and as_taught(question.answers, one.before, margins) is not None
        exact_ones += now == "exact"
        taught += now is not None
        if question.known_to_active:
            shared += 1
            known += knew
            lost += knew and now is None
            gained += now is not None and not knew
            nets[question.answers[0]] += (now is not None) - knew
        if now is None:
            fate: OutcomeName = "regressed" if knew else "not learned"
            answer = question.answers[0]
            failed.append(JudgedAnswer(question.pair_id, "taught", one.before or "", one.after, answer, fate))
    return Recall(len(said), exact_ones, taught, of, shared, known, lost, gained, flip_p([*nets.values()])), failed


# -- small parts -----------------------------------------------------------------------------------
def _taught(group: Sequence[Pair], active: Collection[int]) -> Taught:
    """The question of some pairs, oldest first, in the words of the newest."""
    newest = group[-1]
    answers = tuple(dict.fromkeys(clean(pair.output) for pair in reversed(group)))
    shared = any(pair.id in active for pair in group)
    return Taught(newest.id, newest.instruction, newest.history, answers, newest.lang, shared)


def _question_mark(pair: Pair) -> str:
    """What two pairs with the same question have in common."""
    sides = [pair.instruction, *(side for exchange in pair.history for side in exchange)]
    return _hash("\x00".join(map(normalise, sides)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _columns(text: str) -> int:
    return len(text) + sum(ord(character) > WIDE for character in text)
