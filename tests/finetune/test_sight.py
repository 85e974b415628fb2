"""What held-out pairs can see, told before a run."""

from __future__ import annotations

import pytest

from finetune.gate.margins import GateMargins
from finetune.gate.power import power, sight, sight_of

MARGINS = GateMargins()


def answers(n: int, phrasings: int = 1) -> list[str]:
    return [f"Answer {number}." for number in range(n)] * phrasings


@pytest.mark.parametrize(
    ("outputs", "drop"),
    [
        (answers(10), None),
        (answers(22), 0.2),
        (answers(60), 0.2),
        (answers(72), 0.1),
        (answers(180), 0.1),
        (answers(217), 0.05),
        (answers(2000), 0.05),
        (answers(10, 4), None),  # forty questions, and no more than ten things to lose
        (answers(27, 4), 0.2),
    ],
)
def test_the_drop_that_is_seen_follows_the_number_of_answers(outputs: list[str], drop: float | None) -> None:
    assert sight(outputs, MARGINS).drop == drop


def test_power_grows_with_the_drop_and_with_the_answers() -> None:
    by_drop = [power(72, 72, drop, MARGINS) for drop in (0.05, 0.1, 0.2)]
    by_size = [power(size, size, 0.1, MARGINS) for size in (20, 72, 217)]
    assert by_drop == sorted(by_drop)
    assert by_size == sorted(by_size)
    assert power(72, 72, 0.1, MARGINS) == pytest.approx(0.83, abs=0.01)
    assert power(217, 217, 0.05, MARGINS) == pytest.approx(0.83, abs=0.01)
    assert all(0 <= value <= 1 for value in (*by_drop, *by_size))


def test_fewer_pairs_than_a_promotion_needs_see_nothing() -> None:
    strict = GateMargins.of(2.0, 15.0, 0.05, 50)
    assert sight(answers(49), strict).drop is None
    assert sight(answers(50), strict).drop == 0.2


def test_the_language_with_most_pairs_is_told_of() -> None:
    tests = [("en", text) for text in answers(30)] + [("zh", f"您好{number}。") for number in range(5)]
    found = sight_of(tests, MARGINS)
    assert found is not None
    assert (found.pairs, found.answers) == (30, 30)
    assert sight_of([], MARGINS) is None


def test_the_sentence_says_what_is_seen_and_what_is_not() -> None:
    assert sight(answers(27, 4), MARGINS).sentence == (
        "108 held-out pairs with 27 different answers can show a drop of 20% in right answers, but not of 10%."
    )
    assert "can't show even a drop of 20%" in sight(answers(1), MARGINS).sentence
    assert sight(answers(300), MARGINS).sentence.endswith("can show a drop of 5% in right answers.")
