"""Did more answers get worse than better, or is it chance? The sign test, exact, by answers and not by questions."""

from __future__ import annotations

from collections.abc import Sequence


def flip_p(nets: Sequence[int]) -> float:
    """One-sided p of the sign test on clusters: how often chance alone leaves so few answers better.

    *nets* holds one number for each cluster, a group of held-out questions with one right answer: of its questions, how
    many are answered better by the candidate than by the active version, less those answered worse. Were both versions
    equally good, each cluster might as well have come out the other way round; so the p is the share of all ways to
    flip their signs whose sum is smaller than the one found, and ties count half (the mid-p). 0.5 where nothing
    differs, near 0 where the candidate is worse, near 1 where it is better.

    Where every cluster is one question this is the sign test with Lancaster's mid-p (Agresti, Categorical Data
    Analysis, 3rd ed., 1.4.5). Flipping clusters keeps it valid where the phrasings of an answer are learned and lost
    together, whatever their number. The distribution is summed up exactly, cluster by cluster.
    """
    import numpy as np

    sizes = [abs(net) for net in nets if net]
    chances, total = np.ones(1), sum(sizes)  # chances[i]: that the clusters flipped to "better" weigh i together
    for size in sizes:
        further = np.zeros(len(chances) + size)
        further[: len(chances)] += chances / 2
        further[size:] += chances / 2
        chances = further
    better = (total + sum(nets)) // 2  # the sum is 2 * better - total
    return float(chances[:better].sum() + chances[better] / 2)
