"""An app on a desk whose engine is scripted, with a clock that stands still for the pictures."""

from __future__ import annotations

import datetime as real
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.engines.scripted import Script
from store.pairs import NewPair
from tests.core.conftest import make_base
from tests.opened import store_of
from tui.app import DeskloopApp
from tui.core import OpenDesk


class StandingClock(real.datetime):
    """Noon of one day, for ever."""

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> StandingClock:
        return cls(2026, 3, 14, 12, 0, tzinfo=tz)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key textual's pilot waits for a stretch of 20 ms with 1 ms of work at most, and for a second where
    there is none: an app that follows a run never rests as long. Tests wait for what is to be seen; a shorter stretch
    would also be one in which the system let another process compute."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.012)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.003)


@pytest.fixture
def engines() -> Script:
    return Script()


@pytest.fixture
async def bare(tmp_path: Path, engines: Script, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDesk]:
    """A new desk, open, as at the first start."""
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("store.times.datetime", StandingClock)
    monkeypatch.setattr("tui.core.runs.POLL", 0.01)
    monkeypatch.setattr("tui.core.keeper.FIRST_DELAY", 0.0)
    make_base(tmp_path / "models")
    async with OpenDesk(tmp_path / "garden", operator="maria", engine_factory=engines) as open_desk:
        yield open_desk


@pytest.fixture
def open_desk(bare: OpenDesk) -> OpenDesk:
    """A desk, open, that has some pairs, so that the app asks no first questions."""
    news = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(12)]
    store_of(bare).pairs.add_many(news, "import", "maria")
    return bare


@pytest.fixture
def app(open_desk: OpenDesk) -> DeskloopApp:
    return DeskloopApp(open_desk)
