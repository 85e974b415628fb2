"""What a desk's held-out pairs can see: how large a drop the check would notice, before anything is trained.

A drop is by how much the share of right answers falls. It is seen if the gate would reject four of five candidates that
dropped so far (a power of 80 %, the usual one: Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988).
Phrasings of one answer are taken to be lost together, so answers are counted and not questions: where they are lost one
by one, the check sees more than is said here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from math import comb

from finetune.gate.margins import GateMargins
from store.text import counted

DROPS = (0.05, 0.1, 0.2)
POWER = 0.8
QUALITY, MOVED = 0.85, 0.2  # as in benchmarks/gate_power.py: right answers before, and those a retraining moves
ENOUGH = 300  # different answers that see the smallest of DROPS for certain; of more no more is asked
_NOTHING = 1e-9  # a chance not worth adding


@dataclass(frozen=True, slots=True)
class Sight:
    """``drop``: the smallest of :data:`DROPS` that so many held-out pairs with so many different answers see; None if
    they see none of them."""

    pairs: int
    answers: int
    drop: float | None

    @property
    def sentence(self) -> str:
        """For an operator."""
        found = f"{counted(self.pairs, 'held-out pair')} with {counted(self.answers, 'different answer')}"
        if self.drop is None:
            return f"{found} can't show even a drop of {DROPS[-1]:.0%} in right answers."
        smaller = [drop for drop in DROPS if drop < self.drop]
        limit = f", but not of {smaller[-1]:.0%}" if smaller else ""
        return f"{found} can show a drop of {self.drop:.0%} in right answers{limit}."


def sight_of(tests: Iterable[tuple[str, str]], margins: GateMargins) -> Sight | None:
    """What held-out pairs, each as (language, right answer), see in the language that has most of them, since each is
    judged on its own; None without any."""
    from finetune.gate.languages import language_of  # needed here alone, and not by whoever starts the app

    groups: dict[str, list[str]] = {}
    for lang, output in tests:
        groups.setdefault(language_of(lang, output), []).append(output)
    return sight(max(groups.values(), key=len), margins) if groups else None


def sight(outputs: Collection[str], margins: GateMargins) -> Sight:
    """What held-out pairs of one language with these *outputs* see."""
    answers = len({tuple(output.split()) for output in outputs})
    seen = (drop for drop in DROPS if power(len(outputs), min(answers, ENOUGH), drop, margins) >= POWER)
    return Sight(len(outputs), answers, next(seen, None) if len(outputs) >= margins.min_pairs else None)


def power(pairs: int, answers: int, drop: float, margins: GateMargins) -> float:
    """How often the gate rejects a candidate that has dropped by *drop*, by so many pairs with so many different
    answers: the rule of :func:`finetune.gate.verdict.decide`, where each answer lost or gained is worth its share of
    all points."""
    lost, gained = _chances(drop)
    found = 0.0
    for changed in range(1, answers + 1):
        here = comb(answers, changed) * (lost + gained) ** changed * (1 - lost - gained) ** (answers - changed)
        if here > _NOTHING:
            share, level = lost / (lost + gained), margins.level(pairs, changed)
            found += here * sum(
                comb(changed, worse) * share**worse * (1 - share) ** (changed - worse)
                for worse, p in _falls(changed)
                if p <= level and 100 * (2 * worse - changed) > margins.margin * answers
            )
    return found


def _chances(drop: float) -> tuple[float, float]:
    """How likely an answer is lost, and gained, if the share of right answers falls by *drop*."""
    moved = max(MOVED, drop / QUALITY)
    redrawn = QUALITY - drop / moved
    return QUALITY * moved * (1 - redrawn), (1 - QUALITY) * moved * redrawn


def _falls(changed: int) -> Iterator[tuple[int, float]]:
    """Of *changed* answers, how many may have got worse, each with the p of the sign test."""
    fewer = 0.0  # the chance that fewer than this many are better
    for better in range(changed + 1):
        chance = comb(changed, better) / 2**changed
        yield changed - better, fewer + chance / 2
        fewer += chance
