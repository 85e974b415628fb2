"""The demo tells the whole loop, and leaves nothing behind."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bot.engines.scripted import Script
from store.desk import Desk
from store.words import BASE, Version
from tests.cli.conftest import Deskloop
from tests.cli.test_commands import ScriptedRun
from tests.core.conftest import make_version


@pytest.fixture
def told(
    deskloop: Deskloop, home: Path, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The demo's lines, after a run that promotes."""

    async def start(desk: Desk, recipe: Any, who: str) -> ScriptedRun:
        run = desk.runs.create(recipe.to_dict(), BASE, who)
        desk.runs.transition(run.id, "training")
        desk.runs.transition(run.id, "evaluating", candidate=make_version(desk))
        recall = {"asked": 40, "exact": 38, "taught": 39, "of": 40}
        desk.runs.save_report(run.id, "promote", {"bleu": {"active": 1.0, "candidate": 90.0}, "recall": recall})
        desk.promotions.promote(Version("v1"), "gate", who, run_id=run.id)
        desk.runs.transition(run.id, "promoted")
        desk.runs.add_event(run.id, "done", {})
        return ScriptedRun(desk, run.id)

    async def looked_at(*_: object) -> None:
        """Here a base is files without a model; looking at one has tests of its own."""

    monkeypatch.setattr("tui.core.setup._examine", looked_at)
    monkeypatch.setattr("finetune.run.client.start_run", start)
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = deskloop("demo", "--home", home, "--json")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_loop_is_told_in_its_order(told: list[dict[str, Any]]) -> None:
    steps = [line["step"] for line in told if "step" in line]
    assert steps == ["load", "ask", "correct", "recall", "ask", "ask"]
    assert [line["version"] for line in told if line.get("step") == "ask"] == ["base", "v1", "base"]
    assert len({line["question"] for line in told if line.get("step") == "ask"}) == 1
    assert [line["verdict"] for line in told if "run" in line] == ["promote"]
    assert [line["share"] for line in told if line.get("step") == "recall"] == [39 / 40]


def test_the_check_has_enough_to_judge_by_and_the_run_little_to_learn(told: list[dict[str, Any]]) -> None:
    assert told[0]["heldout"] >= 20
    assert told[0]["train"] <= 70


def test_nothing_is_left_behind(told: list[dict[str, Any]], tmp_path: Path, home: Path) -> None:
    assert list(tmp_path.glob("deskloop-demo-*")) == []
    with Desk.open(home) as desk:
        assert (desk.pairs.count(), desk.conversations.list()) == (0, [])
