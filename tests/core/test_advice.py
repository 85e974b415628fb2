"""When a retraining is worth it, and how long it takes by this desk's own runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.desk import Desk
from store.words import BASE
from tests.tui import scenes
from tui.core.advice import ENOUGH, Advice, advise
from tui.widgets.status import ROOMY, waiting_words


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path) as opened:
        yield opened


def correct(desk: Desk, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        (reply,) = scenes.said(desk, "t", (f"question {number}", "no", "base", "complete"))
        desk.judgements.correct(reply, f"yes, {number}", "ann")


def test_nothing_waits_nothing_is_advised(desk: Desk) -> None:
    assert advise(desk) == Advice()
    assert not Advice().worth_it()


def test_enough_corrections_are_worth_it_and_a_few_only_when_they_are_old(desk: Desk) -> None:
    correct(desk, ENOUGH - 1)
    few = advise(desk)
    assert (few.new, few.worth_it()) == (ENOUGH - 1, False)
    assert few.worth_it(datetime.now(UTC) + timedelta(days=1, minutes=1))
    correct(desk, 1, ENOUGH)
    assert advise(desk).worth_it()


def test_the_time_is_that_of_this_desks_own_runs(desk: Desk) -> None:
    correct(desk, 60)
    before = advise(desk).seconds
    for tokens_per_second, verdict in ((2.0, "inconclusive"), (0.001, None)):  # the second never came to a verdict
        run = desk.runs.create({}, BASE, "ann")
        desk.runs.transition(run.id, "training")
        desk.runs.add_event(run.id, "step", {"tokens_per_second": 900.0})
        desk.runs.add_event(run.id, "step", {"tokens_per_second": tokens_per_second})
        if verdict is None:
            desk.runs.transition(run.id, "failed", failure={"kind": "failed"})
        else:
            desk.runs.transition(run.id, "evaluating")
            desk.runs.save_report(run.id, "inconclusive", {})
            desk.runs.transition(run.id, "held")
    after = advise(desk).seconds
    assert 10 * before < after < 1e5


def test_the_status_line_says_it_in_the_room_it_has() -> None:
    advice = Advice(12, 240.0, "2026-01-01T00:00:00.000Z")
    assert waiting_words(12, advice, "F5", ROOMY) == "12 corrections waiting, about 4 min to learn: F5 is worth it"
    assert waiting_words(12, advice, "F5", 80) == "12 corrections waiting: F5"
    assert waiting_words(12, advice, "F5", 60) == "12 waiting: F5"
    assert waiting_words(1, Advice(), "F5", ROOMY) == "1 correction waiting"
