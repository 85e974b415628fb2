"""``deskloop bisect``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE
from tests.cli.conftest import Deskloop, a_reply
from tests.core.test_nearest import taught
from tui.core.bisect import BisectDesk
from tui.core.nearest import Near


@pytest.fixture
def pairs(home: Path) -> None:
    """A version that learned two pairs."""
    with Desk.open(home) as desk:
        news = [NewPair("Where is it?", "In the sea.", split="train"), NewPair("Why?", "So.", split="train")]
        desk.pairs.add_many(news, "import", "maria")
        taught(desk, BASE, 1, 2)


def test_a_question_and_its_answer_lead_to_the_pair(deskloop: Deskloop, home: Path, pairs: None) -> None:
    arguments = ("bisect", "--question", "where is it", "--answer", "In the sea!", "--version", "v1", "--home", home)
    lines = [json.loads(line) for line in deskloop(*arguments, "--json").stdout.splitlines()]
    assert [line["pair"] for line in lines] == [1, 2]
    assert lines[0] == {
        "pair": 1, "question_alike": 95.7, "answer_alike": 90.9, "gradient": None, "taught": "v1", "live": True,
        "instruction": "Where is it?", "output": "In the sea.",
    }  # fmt: skip
    told = deskloop(*arguments, "--limit", 1).stdout
    assert told.count("alike") == 2
    assert "Where is it?  ->  In the sea." in told


def test_gradients_decide_where_they_are_asked_for(
    deskloop: Deskloop, home: Path, pairs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gradients(self: BisectDesk, said: object, found: list[Near], done: object) -> list[Near]:
        return found[::-1]

    monkeypatch.setattr(BisectDesk, "gradients", gradients)
    result = deskloop(
        "bisect", "--question", "Where?", "--answer", "In the sea.", "--version", "v1", "--gradients", "--home", home
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split()[0] == "2"
    assert "Loading v1 to compare gradients" in result.stderr


def test_what_is_named_must_be_one_thing(deskloop: Deskloop, home: Path) -> None:
    for arguments in ((), ("1", "--question", "a", "--answer", "b"), ("--question", "a"), ("1", "--version", "v1")):
        result = deskloop("bisect", *arguments, "--home", home)
        assert result.exit_code == 2, arguments
        assert "Name a reply by its number" in result.stderr
    assert "is not a reply" in deskloop("bisect", 7, "--home", home).stderr
    reply = a_reply(home)
    result = deskloop("bisect", reply, "--home", home)
    assert result.exit_code == 1
    assert "bare base model was not trained on this desk" in result.stderr
