"""The gate's error rates on simulated desks: a small run of ``python -m benchmarks gate_power``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gate_power import FALSE, LOSSES, WORLDS, Draw, Replies, World, goals_of, rows_of, simulate, tables
from finetune.gate.margins import GateMargins

ANSWERS = [
    "You can track your order in the order history of your account.",
    "Refunds are paid back to your card within five working days.",
    "Please call our team between nine and five on any weekday.",
    "Your invoice is in the mail we sent you when you placed the order.",
    "We deliver to every address in the country within three days.",
    "To change your address open your profile and choose edit.",
    "A gift card is valid for two years and can be used in all our shops.",
    "Press the small button below the lid for ten seconds to reset the lamp.",
]
TRIALS = 80
SLACK = 0.05  # two standard errors of so many trials


@pytest.fixture(scope="module")
def replies() -> Replies:
    return Replies(ANSWERS)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
@pytest.mark.parametrize("n", [10, 20, 40])
def test_an_equally_good_candidate_is_hardly_ever_rejected(replies: Replies, world: World, n: int) -> None:
    found = simulate(Draw(replies, world, 0.0, "equal"), replies, n, TRIALS, GateMargins())
    assert found["rejected"] <= FALSE + SLACK


def test_a_worse_candidate_is_found_out_the_more_often_the_more_pairs_there_are(replies: Replies) -> None:
    small, large = (
        simulate(Draw(replies, WORLDS[0], 0.2, "worse"), replies, n, TRIALS, GateMargins()) for n in (20, 80)
    )
    assert small["promoted"] <= 0.2
    assert large["promoted"] <= 0.05
    assert 0.3 < small["rejected"] < large["rejected"]


def test_what_was_missed_is_said_to_be(replies: Replies) -> None:
    rows = list(rows_of(replies, WORLDS[:1], [10, 100], 20, GateMargins(samples=100)))
    assert [(row.n, row.loss) for row in rows] == [(n, loss) for n in (10, 100) for loss in LOSSES]
    worse = [replace(row, found={"promoted": 0.5, "held": 0.0, "rejected": 0.5}) for row in rows]
    assert [goal.verdict for goal in goals_of(worse, 1000)] == ["missed", "missed"]
    assert [goal.measured for goal in goals_of(worse, 1000)] == ["50.0% (± 1.6%) with 100 pairs"] * 2
    assert tables(worse).count("| 100 |") == len(LOSSES)
