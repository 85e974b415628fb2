"""Forgetting: how far a version is from what the base says to questions that are no desk's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.engines.scripted import FACTS, Script
from finetune.gate.answers import Asker, Judge
from finetune.gate.general import LIMIT, QUESTIONS, Drift
from finetune.gate.judging import drift_of
from store.desk import Desk
from store.words import BASE, Version
from tests.core.conftest import make_version


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path) as opened:
        make_version(opened)
        yield opened


def test_there_are_fifty_questions_none_twice() -> None:
    assert len(QUESTIONS) == len(set(QUESTIONS)) == 50


async def test_the_drift_is_what_the_version_finds_less_likely_and_is_asked_once(desk: Desk) -> None:
    engine = Script()(log=Path("engine.log"))
    judge = Judge(Asker.of(desk, engine, "Be kind."), desk, FACTS)
    drift = await drift_of(judge, Version("v1"))
    assert (drift.nats, drift.questions) == (0.5, 50)  # scripted: -0.5 for the base, -1.0 for any version
    assert engine.script.scored == ["base", "v1"]
    asked = len(engine.script.asked)
    assert await drift_of(judge, Version("v1")) == drift
    assert (await drift_of(judge, BASE)).nats == 0
    assert (engine.script.scored, len(engine.script.asked)) == (["base", "v1"], asked)


def test_a_version_that_is_far_away_is_warned_about() -> None:
    assert not Drift(LIMIT - 0.1, 50).far
    far = Drift(LIMIT + 0.1, 50)
    assert far.far
    assert "Fewer epochs" in far.sentence
