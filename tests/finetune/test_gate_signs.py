"""The sign test by clusters: exact, fair to both sides, and not fooled by phrasings of one answer."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.gate.signs import flip_p

NETS = st.lists(st.integers(-4, 4), max_size=9)


def binomial(worse: int, better: int) -> float:
    """The one-sided mid-p of the sign test, by the textbook."""
    n = worse + better
    return float(sum(comb(n, k) * (0.5 if k == better else 1) for k in range(better + 1)) / 2**n)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 30))
def test_single_questions_get_the_sign_test(worse: int, better: int, same: int) -> None:
    assert flip_p([-1] * worse + [1] * better + [0] * same) == pytest.approx(binomial(worse, better))


@given(NETS)
def test_it_counts_every_way_to_flip_the_clusters(nets: list[int]) -> None:
    sums = [
        sum(sign * net for sign, net in zip(signs, nets, strict=True)) for signs in product((-1, 1), repeat=len(nets))
    ]
    found = sum(nets)
    expected = (sum(value < found for value in sums) + sum(value == found for value in sums) / 2) / len(sums)
    assert flip_p(nets) == pytest.approx(expected)


@given(NETS)
def test_both_sides_are_treated_alike(nets: list[int]) -> None:
    assert flip_p(nets) + flip_p([-net for net in nets]) == pytest.approx(1)


@given(NETS, st.integers(1, 5))
def test_more_phrasings_of_the_same_answers_are_no_more_evidence(nets: list[int], phrasings: int) -> None:
    assert flip_p([net * phrasings for net in nets]) == pytest.approx(flip_p(nets))


def test_nothing_changed_is_no_evidence_either_way() -> None:
    assert flip_p([]) == flip_p([0, 0]) == 0.5


def test_losses_of_one_answer_are_one_loss() -> None:
    assert flip_p([-4]) == 0.25
    assert flip_p([-1] * 4) == pytest.approx(1 / 32)


def test_many_pairs_are_no_trouble() -> None:
    assert flip_p([-1] * 1100 + [1] * 1000) < 0.02
