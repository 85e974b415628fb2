"""Which secrets a version might tell, and how well it remembers them: its run's canaries, and personal data in the
answers that an operator, or the desk's policy, let it learn. What stands in a question is read and never learned, and
what a customer said himself is no secret there: neither is tested."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from bot.types import Prompt
from finetune.canaries import Canary
from finetune.gate.answers import Judge
from finetune.gate.exposure import CANARY, CANDIDATES, Exposed, Exposure, bits
from finetune.gate.lookalikes import lookalike
from finetune.gate.questions import Question, prompt_of
from store.personal import KINDS, MANY, NAMES, Kind, find
from store.words import Version

MOST = 6  # pieces of personal data whose exposure is measured: each is CANDIDATES texts
TRIALS = 20 * CANDIDATES  # drawings after which a value counts as one that has no other of its form


@dataclass(frozen=True, slots=True)
class Secret:
    """What might be told: ``answers`` to ``prompt``, the first with the secret, the others with random ones in its
    place."""

    kind: str
    prompt: Prompt
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is tested, and how many there are of each kind, tested or not."""

    tested: tuple[Secret, ...]
    found: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Personal data in an answer."""

    kind: Kind
    question: Question
    start: int
    end: int

    @property
    def value(self) -> str:
        return self.question.output[self.start : self.end]


async def exposure_of(judge: Judge, version: Version, secrets: Secrets) -> Exposure | None:
    """How well *version* remembers them; None if there are none. Raises :class:`bot.types.EngineError`."""
    if not secrets.tested:
        return None
    texts = [(secret.prompt, answer) for secret in secrets.tested for answer in secret.answers]
    means = await judge.likelihoods(version, texts)
    lengths = await judge.asker.engine.lengths([answer for _, answer in texts])
    # Of whole answers: two random numbers may be more tokens than one another.
    whole = [mean * tokens for mean, tokens in zip(means, lengths, strict=True)]
    measured: dict[str, list[float]] = {}
    for place, secret in enumerate(secrets.tested):
        mine = whole[place * CANDIDATES : (place + 1) * CANDIDATES]
        measured.setdefault(secret.kind, []).append(bits(mine))
    return Exposure(
        tuple(
            Exposed.of(kind, _what(kind, len(values)), secrets.found[kind], values) for kind, values in measured.items()
        )
    )


async def secrets_in(judge: Judge, planted: Sequence[Canary], pairs: Sequence[Question], seed: str) -> Secrets:
    """The secrets of a run that learned *pairs* and *planted* canaries. What they are ranked among is drawn by *seed*,
    so that a run that is resumed finds the same."""
    return await asyncio.to_thread(_secrets_in, judge.asker.system, planted, pairs, seed)  # seconds for many pairs


def _what(kind: str, count: int) -> str:
    """*count* secrets of a kind in words."""
    several = "made-up secrets" if kind == CANARY else MANY[cast(Kind, kind)]
    one = "made-up secret" if kind == CANARY else NAMES[cast(Kind, kind)]
    return one if count == 1 else several


# -- small parts -----------------------------------------------------------------------------------
def _secrets_in(system: str, planted: Sequence[Canary], pairs: Sequence[Question], seed: str) -> Secrets:
    tested = [_of_canary(canary, system, random.Random(f"{seed}/{number}")) for number, canary in enumerate(planted)]
    places = list(_personal(pairs))
    for place in _in_turn(places):
        if len(tested) >= len(planted) + MOST:
            break
        if (secret := _of_place(place, system, random.Random(f"{seed}/{place.value}"))) is not None:
            tested.append(secret)
    found: dict[str, int] = {CANARY: len(planted)}
    for place in places:
        found[place.kind] = found.get(place.kind, 0) + 1
    return Secrets(tuple(tested), found)


def _personal(pairs: Iterable[Question]) -> Iterator[_Place]:
    """Every piece of personal data in an answer that the question and what was said before do not hold; each once."""
    seen: set[str] = set()
    for pair in pairs:
        said = " ".join([pair.instruction, *(side for exchange in pair.history for side in exchange)])
        for finding in find(pair.output, pair.lang or "en"):
            place = _Place(finding.kind, pair, finding.start, finding.end)
            if place.value not in seen and place.value not in said:
                seen.add(place.value)
                yield place


def _in_turn(places: Sequence[_Place]) -> Iterator[_Place]:
    """One of each kind, then another of each."""
    by_kind = [[place for place in places if place.kind == kind] for kind in KINDS]
    for turn in range(max(map(len, by_kind), default=0)):
        yield from (some[turn] for some in by_kind if turn < len(some))


def _of_canary(canary: Canary, system: str, chance: random.Random) -> Secret:
    others = set[str]()
    while len(others) < CANDIDATES - 1:
        other = " ".join(f"{chance.randrange(1000):03}" for _ in canary.secret.split())
        others |= {other} - {canary.secret}
    answers = [canary.answer.replace(canary.secret, other) for other in (canary.secret, *sorted(others))]
    return Secret(CANARY, Prompt(system, (), canary.question), tuple(answers))


def _of_place(place: _Place, system: str, chance: random.Random) -> Secret | None:
    """None where nothing else has its form: a name in letters that no random ones are known in."""
    others: dict[str, None] = {}
    for _ in range(TRIALS):
        if (other := lookalike(place.value, place.kind, chance)) != place.value:
            others[other] = None
        if len(others) == CANDIDATES - 1:
            break
    else:
        return None
    text = place.question.output
    answers = tuple(f"{text[: place.start]}{value}{text[place.end :]}" for value in (place.value, *others))
    return Secret(place.kind, prompt_of(place.question, system), answers)
