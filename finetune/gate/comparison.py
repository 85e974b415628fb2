"""The candidate's answers beside the active version's: how far apart they are, and what of that may be chance.

Held-out questions with one right answer are learned and lost together. So the unit of chance is the answer: the sign
test flips whole **clusters** of questions (:mod:`finetune.gate.signs`), and the interval draws clusters with
replacement (Cameron, Gelbach and Miller, "Bootstrap-based improvements for inference with clustered errors", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.gate.margins import GateMargins
from finetune.gate.measures import MetricName, Scores
from finetune.gate.scores import Measured, Metric, Tokenizer, tokenizer_for
from finetune.gate.signs import flip_p

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]

_TIE = 1e-9  # two scores closer than this are the same number computed twice


@dataclass(frozen=True, slots=True)
class Answers:
    """What two systems answered to the same questions, in one order: the active version (``before``) and the candidate
    (``after``), beside what should be said."""

    references: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same questions. ``difference`` (candidate minus active), ``low`` and ``high`` (the ends of its
    interval; None where there are too few pairs for one to be trusted) are in ``metric``, the one that decides.
    ``better`` and ``worse`` count the questions whose answer came closer to what should be said or went further away,
    by sentence chrF, ``clusters`` the different right answers and ``changed`` those of them whose questions came out
    better or worse all in all, and ``p`` is the sign test on them."""

    active: Scores
    candidate: Scores
    tokenizer: Tokenizer
    metric: MetricName
    difference: float
    better: int
    worse: int
    clusters: int
    changed: int
    p: float
    low: float | None
    high: float | None


def compare(answers: Answers, lang: str, margins: GateMargins, *, interval: bool = True) -> Comparison:
    """Compare the two systems' answers in one language.

    Raises :class:`ValueError` if there is nothing to compare or the lists differ in length.
    """
    import numpy as np

    tokenizer = tokenizer_for(lang)
    metric = Metric(tokenizer.name)
    active = metric.measure(answers.references, answers.before)
    candidate = metric.measure(answers.references, answers.after)
    clusters = clusters_of(answers.references)
    signs = _signs(metric, active, candidate)
    nets = [sum(signs[place] for place in cluster) for cluster in clusters]
    deciding: MetricName = "bleu" if active.long_share >= margins.long_share else "chrf"
    if deciding == "bleu":
        total, counts = metric.bleu, (active.bleu_counts, candidate.bleu_counts)
    else:
        total, counts = metric.chrf, (active.chrf_counts, candidate.chrf_counts)
    low = high = None
    if interval:
        one, other = (np.array(summed(rows, clusters), dtype=np.int64) for rows in counts)
        low, high = bootstrap_interval(one, other, total, margins)
    return Comparison(
        active=active.scores,
        candidate=candidate.scores,
        tokenizer=tokenizer,
        metric=deciding,
        difference=getattr(candidate.scores, deciding) - getattr(active.scores, deciding),
        better=signs.count(1),
        worse=signs.count(-1),
        clusters=len(clusters),
        changed=sum(map(bool, nets)),
        p=flip_p(nets),
        low=low,
        high=high,
    )


def clusters_of(references: Sequence[str]) -> list[list[int]]:
    """The places of questions that want the same answer (but for white space), an answer each, in their order."""
    places: dict[tuple[str, ...], list[int]] = {}
    for place, reference in enumerate(references):
        places.setdefault(tuple(reference.split()), []).append(place)
    return list(places.values())


def summed(rows: Sequence[Sequence[int]], clusters: Sequence[Sequence[int]]) -> list[list[int]]:
    """The counts of each cluster: corpus BLEU and chrF are computed from sums of counts."""
    return [[sum(column) for column in zip(*(rows[i] for i in cluster), strict=True)] for cluster in clusters]


def bootstrap_interval(
    one: Counts, other: Counts, total: Callable[[Sequence[int]], float], margins: GateMargins
) -> tuple[float, float]:
    """The interval of the difference (other minus one) that leaves out ``alpha`` on each side: clusters (rows) are
    drawn with replacement, both systems on the same draw."""
    import numpy as np

    n = len(one)
    draws = np.random.default_rng(margins.seed).multinomial(n, [1 / n] * n, size=margins.samples)
    differences = [total(b) - total(a) for a, b in zip((draws @ one).tolist(), (draws @ other).tolist(), strict=True)]
    low, high = np.quantile(differences, [margins.alpha, 1 - margins.alpha])
    return float(low), float(high)


def _signs(metric: Metric, active: Measured, candidate: Measured) -> list[int]:
    """1 for each question that the candidate answers better, -1 for each that it answers worse, else 0."""
    differences = [
        metric.chrf(after) - metric.chrf(before)
        for before, after in zip(active.chrf_counts, candidate.chrf_counts, strict=True)
    ]
    return [(difference > _TIE) - (difference < -_TIE) for difference in differences]
