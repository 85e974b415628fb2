"""Is the version that answers worse than the one before it, or is it chance? What operators' judgements say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from store.conversations.quality import Rate
from store.desk import Desk
from store.words import Version
from tui.core.advice import Advice, advise
from tui.core.beside import Beside

__all__ = ["Advice", "QualityDesk", "Rate", "Standing", "fisher_p", "sign_test_p", "standing"]

ALPHA = 0.05  # below this p a difference counts as more than chance
ENOUGH = 20  # judged replies on either side below which nothing is said


@dataclass(frozen=True, slots=True)
class Standing:
    """The active version's share of wrong replies since its promotion, and that of the version a rollback returns to
    (``previous`` None: there is none). ``p``: how often chance alone makes a rate so much worse; None where there are
    too few judgements to ask."""

    version: Version
    rate: Rate
    previous: str | None = None
    before: Rate | None = None
    p: float | None = None

    @property
    def worse(self) -> bool:
        """Whether the active version is wrong more often than the previous one, by more than chance."""
        return self.p is not None and self.p < ALPHA


def standing(desk: Desk) -> Standing:
    """How the active version of *desk* stands."""
    version, previous = desk.promotions.active(), desk.promotions.rollback_target()
    rate = desk.quality.since_promotion(version)
    if previous is None or rate.judged < ENOUGH:
        return Standing(version, rate, previous)
    before = desk.quality.rates().get(previous, Rate())
    p = fisher_p(rate, before) if before.judged >= ENOUGH else None
    return Standing(version, rate, previous, before, p)


class QualityDesk:
    """The :func:`standing` of one desk and the advice on retraining, as they were last looked up. That is done beside
    the event loop: a desk of years takes a quarter of a second."""

    def __init__(self, store: Desk, beside: Beside) -> None:
        self._store, self._beside = store, beside
        self._stamp: tuple[int, ...] | None = None
        self.standing = Standing(store.promotions.active(), Rate())
        self.advice = Advice()

    @property
    def stale(self) -> bool:
        """Whether something that counts has happened since. Cheap: the status line asks often."""
        return self._store.quality.stamp() != self._stamp

    async def refresh(self) -> None:
        """Look both up again."""
        stamp = self._store.quality.stamp()
        self.standing, self.advice = await self._beside.read(lambda store: (standing(store), advise(store)))
        self._stamp = stamp


def fisher_p(rate: Rate, before: Rate) -> float:
    """One-sided p of Fisher's exact test: how often, with so many corrections in all, *rate*'s side gets at least as
    many of them as it did."""
    judged, corrected = rate.judged + before.judged, rate.wrong + before.wrong
    most = min(corrected, rate.judged)
    everything = _log_choices(judged, rate.judged)
    terms = (
        _log_choices(corrected, count) + _log_choices(judged - corrected, rate.judged - count) - everything
        for count in range(max(rate.wrong, corrected - before.judged), most + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def sign_test_p(wins: int, losses: int) -> float:
    """Two-sided p of the sign test: how often a fair coin, thrown once for each, is at least as lopsided."""
    thrown, fewer = wins + losses, min(wins, losses)
    half = math.log(2) * thrown
    return min(1.0, 2 * math.fsum(math.exp(_log_choices(thrown, heads) - half) for heads in range(fewer + 1)))


def _log_choices(n: int, k: int) -> float:
    """The logarithm of the number of ways to choose *k* of *n*."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
