"""The commands about the check: what it found, and more tests for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.gate.report import GateItem
from finetune.gate.verdict import judge
from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE, Version
from tests.cli.conftest import Deskloop
from tests.core.conftest import make_version

WRONG = "I am sorry, I do not know that at all."


@pytest.fixture
def judged(home: Path) -> int:
    """A run whose version is held, for it lost three of thirty answers: one of them half, with a hostile question."""
    with Desk.open(home) as desk:
        news = [
            NewPair(f"Question {i}?\x1b[2J", f"The answer to that is number {i}.", split="heldout") for i in range(50)
        ]
        desk.pairs.add_many(news, "import", "ann")
        items = []
        for place, pair in enumerate(desk.pairs.heldout_set()):
            after = {7: f"The answer to that is {WRONG}", 20: WRONG, 33: WRONG}.get(place, pair.output)
            items.append(GateItem(pair.id, "en", pair.output, pair.output, after))
        report = judge(items, active="the bare base", candidate="v1")
        run = desk.runs.create({}, BASE, "ann")
        desk.runs.transition(run.id, "training")
        name = make_version(desk, run_id=run.id)
        desk.runs.transition(run.id, "evaluating", candidate=Version(name))
        desk.runs.save_report(run.id, report.verdict, report.to_dict(), report.answers)
        desk.runs.transition(run.id, "held")
        return run.id


def test_a_held_run_shows_its_lost_answers_the_worst_first(deskloop: Deskloop, home: Path, judged: int) -> None:
    result = deskloop("runs", "report", judged, "--home", home)
    assert result.exit_code == 0, result.stderr
    assert "v1 is held: it may be worse." in result.stdout
    assert "3 answers worse, none better, p 0.062" in result.stdout
    assert result.stdout.count("▼") == 3
    assert result.stdout.index("number 20") < result.stdout.index("number 7")
    assert result.stdout.count(f"v1: {WRONG}") == 2
    assert "\x1b" not in result.stdout


def test_the_report_is_told_as_json(deskloop: Deskloop, home: Path, judged: int) -> None:
    found = json.loads(deskloop("runs", "report", judged, "--json", "--home", home).stdout)
    assert (found["run"], found["version"], found["verdict"]) == (judged, "v1", "inconclusive")
    assert found["held"] == "unclear"
    language = found["languages"][0]
    assert (language["worse"], language["better"], language["clusters"]) == (3, 0, 50)
    lost = found["lost_answers"]
    assert [round(one["chrf_after"]) for one in lost] == sorted(round(one["chrf_after"]) for one in lost)
    assert lost[0]["before"] == lost[0]["target"]


def test_a_run_without_a_check_says_so(deskloop: Deskloop, home: Path) -> None:
    with Desk.open(home) as desk:
        run = desk.runs.create({}, BASE, "ann").id
    result = deskloop("runs", "report", run, "--home", home)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no report" in result.stderr


def test_more_pairs_are_held_out_and_put_back(deskloop: Deskloop, home: Path) -> None:
    with Desk.open(home) as desk:
        news = [NewPair(f"Question {i}?", f"Answer {i % 5}.", split="train") for i in range(15)]
        desk.pairs.add_many(news, "import", "ann")
    result = deskloop("pairs", "hold-out", "--json", "--home", home)
    assert json.loads(result.stdout) == {"held_out": 5, "tests": 5}, result.stderr
    said = deskloop("pairs", "hold-out", "--home", home).stdout
    assert "There is nothing to hold out" in said
    assert "Approve replies" in said
    assert "5 questions put back" in deskloop("pairs", "hold-out", "--undo", "--home", home).stdout
    with Desk.open(home) as desk:
        assert desk.pairs.heldout_set() == []
