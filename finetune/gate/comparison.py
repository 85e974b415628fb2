"""Is the candidate worse than the active version, or is it chance? Paired randomisation, and an interval.

Both work on the counts per answer that corpus BLEU and chrF are sums of. sacrebleu's own ``PairedTest`` is not used: it
counts only trials whose difference is strictly larger than the real one. Where few answers differ, as between two
versions of one desk, most trials repeat the real difference exactly, and it calls one changed answer out of a hundred
significant (p = 0.001). Ties count here, as the test is defined; where there are none, both give the same p.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.gate.margins import GateMargins
from finetune.gate.measures import MetricName, Scores
from finetune.gate.scores import Metric, Tokenizer, tokenizer_for

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]

_TIE = 1e-9  # two differences closer than this are the same number computed twice


@dataclass(frozen=True, slots=True)
class Answers:
    """What two systems answered to the same questions, in one order: the active version (``before``) and the candidate
    (``after``), beside what should be said."""

    references: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same questions. ``difference`` (candidate minus active), ``p`` (two-sided: look at the sign
    of the difference for the direction), ``low`` and ``high`` (the interval of the difference; None where there are too
    few pairs for one to be trusted) are all in ``metric``, the one that decides."""

    active: Scores
    candidate: Scores
    tokenizer: Tokenizer
    metric: MetricName
    difference: float
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
    deciding: MetricName = "bleu" if active.long_share >= margins.long_share else "chrf"
    if deciding == "bleu":
        total, counts = metric.bleu, (active.bleu_counts, candidate.bleu_counts)
    else:
        total, counts = metric.chrf, (active.chrf_counts, candidate.chrf_counts)
    one, other = (np.array(rows, dtype=np.int64) for rows in counts)
    difference = getattr(candidate.scores, deciding) - getattr(active.scores, deciding)
    low = high = None
    if list(answers.before) == list(answers.after):
        p = 1.0
        if interval:
            low = high = 0.0
    else:
        p = randomisation_p(one, other, total, margins.samples, margins.seed)
        if interval:
            low, high = bootstrap_interval(one, other, total, margins)
    return Comparison(active.scores, candidate.scores, tokenizer, deciding, difference, p, low, high)


def randomisation_p(
    one: Counts, other: Counts, total: Callable[[Sequence[int]], float], samples: int, seed: int
) -> float:
    """Two-sided p of the paired approximate randomisation test: how often a difference at least this large appears
    when, for each question, a coin decides which of the two answers is whose. Equal counts give 1."""
    import numpy as np

    swap = np.random.default_rng(seed).integers(2, size=(samples, len(one)), dtype=bool)
    sums = one.sum(axis=0) + other.sum(axis=0)
    first = swap @ one + ~swap @ other
    real = abs(total(one.sum(axis=0).tolist()) - total(other.sum(axis=0).tolist()))
    larger = sum(
        abs(total(row) - total(rest)) >= real - _TIE
        for row, rest in zip(first.tolist(), (sums - first).tolist(), strict=True)
    )
    return (larger + 1) / (samples + 1)


def bootstrap_interval(
    one: Counts, other: Counts, total: Callable[[Sequence[int]], float], margins: GateMargins
) -> tuple[float, float]:
    """The interval of the difference (other minus one) that leaves out ``alpha`` on each side: questions are drawn
    with replacement, both systems on the same draw."""
    import numpy as np

    n = len(one)
    draws = np.random.default_rng(margins.seed).multinomial(n, [1 / n] * n, size=margins.samples)
    differences = [total(b) - total(a) for a, b in zip((draws @ one).tolist(), (draws @ other).tolist(), strict=True)]
    low, high = np.quantile(differences, [margins.alpha, 1 - margins.alpha])
    return float(low), float(high)
