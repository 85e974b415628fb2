"""Customers' text on standard input, where no list of processes shows it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from bot.engines.scripted import Script
from store.desk import Desk
from store.pairs import NewPair
from tests.cli.conftest import a_reply
from tui.cli.root import cli
from tui.cli.typed import LARGEST


def deskloop(said: bytes, *arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=said)


def test_ask_reads_the_question(home: Path, script: Script) -> None:
    assert deskloop("Öffnet ihr\nmorgen?\n".encode(), "ask", "-", "--home", home).exit_code == 0
    with Desk.open(home) as desk:
        assert desk.conversations.turns(1)[0].text == "Öffnet ihr\nmorgen?"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"At eight.", "At eight."),
        (b"At eight.\r\n", "At eight."),
        ("\ufeffAt eight.\n".encode(), "At eight."),
        (b"\x1b[2JAt \x00eight.\n", "At eight."),
        (b"-\n", "-"),
    ],
)
def test_correct_reads_the_better_answer(home: Path, said: bytes, kept: str) -> None:
    assert deskloop(said, "correct", a_reply(home), "-", "--home", home).exit_code == 0
    with Desk.open(home) as desk:
        assert desk.pairs.list()[0].output == kept


@pytest.mark.parametrize(
    ("said", "sentence"),
    [(b"At \xff eight", "not UTF-8 (byte 4)"), (b"x" * (LARGEST + 1), "more than"), (b"", "The correction is empty")],
)
def test_what_is_no_text_is_refused_and_nothing_is_kept(home: Path, said: bytes, sentence: str) -> None:
    result = deskloop(said, "correct", a_reply(home), "-", "--home", home)
    assert result.exit_code in (1, 2)
    assert sentence in result.stderr
    with Desk.open(home) as desk:
        assert desk.pairs.list() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["correct", "2", "-"], "Standard input is closed"),
        (["forget", "--text", "-"], "Standard input is closed"),
        (["forget", "--text", "When do you open?"], "there is nobody to ask"),
    ],
)
def test_closed_standard_input_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    a_reply(home)
    with monkeypatch.context() as patch:
        patch.setattr("tui.cli.typed.sys", SimpleNamespace(stdin=None))
        patch.setattr("tui.cli.forget.sys", SimpleNamespace(stdin=None))
        result = deskloop(b"", *arguments, "--home", home)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_other_texts_too(home: Path) -> None:
    assert deskloop(b"Be kind.\n", "settings", "set", "system_message", "-", "--home", home).exit_code == 0
    with Desk.open(home) as desk:
        assert desk.settings.load().system_message == "Be kind."
        desk.pairs.add(NewPair("Do you sell rakes?", "We do."), "import", "tester")
        desk.pairs.add(NewPair("Do you sell hats?", "We don't."), "import", "tester")
    assert deskloop(b"rakes\n", "pairs", "list", "--query", "-", "--home", home).stdout.count("->") == 1


def test_evaluate_reads_its_questions_and_leaves_no_file(home: Path, script: Script) -> None:
    said = b'{"instruction": "When?", "output": "We open at nine."}\n'
    result = deskloop(said, "evaluate", "-", "--home", home)
    assert result.exit_code == 0, result.stderr
    assert "exact 100%" in result.stdout
    assert list(home.glob(".standard-input.*")) == []
