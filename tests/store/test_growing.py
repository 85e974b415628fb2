"""More tests for the check: taken evenly, never from what a run has used, and given back on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path / "home") as opened:
        yield opened


def teach(desk: Desk, answer: str, phrasings: int, tests: int = 0) -> None:
    """*answer* to so many questions, of which the first *tests* are held out."""
    news = [
        NewPair(f"{answer} asked {number}?", answer, split="heldout" if number < tests else "train")
        for number in range(phrasings)
    ]
    desk.pairs.add_many(news, "import", "ann")


def sides(desk: Desk, answer: str) -> tuple[int, int]:
    """How many phrasings of *answer* train, and how many test."""
    found = Counter(pair.split for pair in desk.pairs.list() if pair.output == answer)
    return found["train"], found["heldout"]


def use(desk: Desk) -> None:
    """Let a run use every pair there is."""
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.transition(run.id, "training")
    tests = [pair.id for pair in desk.pairs.heldout_set()]
    desk.runs.set_snapshot(run.id, [(pair.id, 1) for pair, _ in desk.pairs.training_set()], tests, "0" * 64)
    desk.runs.transition(run.id, "failed")


def test_each_answer_without_a_test_gives_one_phrasing_first(desk: Desk) -> None:
    teach(desk, "A", 4, tests=1)
    teach(desk, "B", 4)
    teach(desk, "C", 2)
    assert desk.growing.more() == 2
    assert (sides(desk, "A"), sides(desk, "B"), sides(desk, "C")) == ((3, 1), (3, 1), (1, 1))
    assert desk.growing.more() == 2
    assert (sides(desk, "A"), sides(desk, "B"), sides(desk, "C")) == ((2, 2), (2, 2), (1, 1))
    assert desk.growing.more() == 0


def test_the_only_phrasing_of_an_answer_is_never_taken(desk: Desk) -> None:
    teach(desk, "A", 1)
    assert desk.growing.more() == 0
    assert sides(desk, "A") == (1, 0)


def test_what_a_run_has_used_stays_where_it_is(desk: Desk) -> None:
    teach(desk, "A", 4)
    use(desk)
    teach(desk, "B", 2)
    desk.pairs.add(NewPair("A asked anew?", "A", split="train"), "import", "ann")
    assert desk.growing.more() == 2
    assert (sides(desk, "A"), sides(desk, "B")) == ((4, 1), (1, 1))
    assert [pair.instruction for pair in desk.pairs.heldout_set() if pair.output == "A"] == ["A asked anew?"]


def test_a_correction_and_a_question_with_two_answers_stay(desk: Desk) -> None:
    for number in range(3):
        desk.pairs.add(NewPair(f"Corrected {number}?", "A"), "correction", "ann")
        desk.pairs.add(NewPair(f"Disputed {number}?", "B", split="train"), "import", "ann")
        desk.pairs.add(NewPair(f"Disputed {number}?", "C", split="train"), "import", "ann")
    assert desk.growing.more() == 0


def test_pairs_with_personal_data_that_do_not_train_are_no_phrasings(desk: Desk) -> None:
    desk.settings.set("personal_data", "block", "ann")
    teach(desk, "A", 1)
    desk.pairs.add(NewPair("I am ann.smith@gmail.com, A?", "A", split="train"), "import", "ann")
    assert desk.growing.more() == 0


def test_what_was_taken_trains_again_until_a_run_has_judged_by_it_or_somebody_pinned_it(desk: Desk) -> None:
    teach(desk, "A", 4)
    teach(desk, "B", 2, tests=1)
    assert desk.growing.more() == 1
    assert desk.growing.fewer() == 1
    assert (sides(desk, "A"), sides(desk, "B")) == ((4, 0), (1, 1))
    assert desk.growing.fewer() == 0
    desk.growing.more()
    desk.pairs.pin(next(pair.id for pair in desk.pairs.heldout_set() if pair.output == "A"))
    assert desk.growing.fewer() == 0
    use(desk)
    assert desk.growing.fewer() == 0
    assert sides(desk, "A") == (3, 1)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), max_size=6), st.integers(1, 4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_often_it_is_asked_every_answer_goes_on_training(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[int, int]], presses: int
) -> None:
    with Desk.open(tmp_path_factory.mktemp("desk") / "home") as desk:
        for number, (phrasings, tests) in enumerate(answers):
            teach(desk, f"Answer {number}", phrasings, min(tests, phrasings))
        before = {number: sides(desk, f"Answer {number}") for number in range(len(answers))}
        took = sum(desk.growing.more() for _ in range(presses))
        after = {number: sides(desk, f"Answer {number}") for number in range(len(answers))}
        for number, (train, tests) in after.items():
            assert train + tests == sum(before[number])
            assert train >= min(1, before[number][0])
            assert tests <= max(train, before[number][1])
        assert took == sum(tests for _, tests in after.values()) - sum(tests for _, tests in before.values())
        assert desk.growing.fewer() == took
        assert before == {number: sides(desk, f"Answer {number}") for number in range(len(answers))}
