"""The look for garbage among everything waits until nobody types."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.tui.helpers import ready, wait_until
from tui.app import DeskloopApp
from tui.collector import QUIET, QuietCollector


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The collector is the whole process's: leave it as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Ring:
    """An object in a circle, which only the collector finds."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        Ring.alive += 1

    def __del__(self) -> None:
        Ring.alive -= 1


def test_old_garbage_waits_for_a_quiet_moment() -> None:
    clock = Clock()
    collector = QuietCollector(clock)
    collector.begin()
    ring = Ring()
    gc.collect(1)  # it is old now
    del ring
    collector.touched()
    clock.now += QUIET / 2
    assert not collector.look()
    assert Ring.alive == 1
    clock.now += QUIET
    assert collector.look()
    assert Ring.alive == 0
    assert not collector.look(), "with nothing new there is nothing to look through"


def test_however_much_is_made_python_never_looks_at_everything_by_itself() -> None:
    QuietCollector(Clock()).begin()
    whole = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(200_000)]
    assert gc.get_stats()[2]["collections"] == whole
    assert kept


def test_before_it_has_begun_it_leaves_everything_to_python() -> None:
    clock = Clock()
    collector = QuietCollector(clock)
    clock.now += 100
    gc.collect(1)
    assert not collector.look()


async def test_keys_and_the_mouse_count_as_use(app: DeskloopApp) -> None:
    clock = Clock()
    app.collector = QuietCollector(clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        for use in (pilot.press("a"), pilot.click()):
            clock.now += 10
            await use
            await wait_until(pilot, lambda: app.collector._touched == clock.now)
