"""A home for the commands to work on, and the command itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.engines.scripted import Script
from store.conversations import Measured
from store.desk import Desk
from store.words import BASE
from tests.core.conftest import make_base
from tui.cli.root import cli

Deskloop = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty desk for the commands of a test; the environment names another place."""
    monkeypatch.delenv("DESKLOOP_MODELS", raising=False)
    monkeypatch.setenv("DESKLOOP_HOME", str(tmp_path / "by-environment"))
    Desk.open(tmp_path / "home").close()
    return tmp_path / "home"


@pytest.fixture
def deskloop() -> Deskloop:
    """Run a command; stdout and stderr are kept apart."""
    return lambda *arguments: CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def script(home: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Let the commands find a base and a scripted engine."""
    make_base(home / "models")
    script = Script(deltas=["We open ", "at nine."])
    monkeypatch.setattr("bot.engines.make_engine", script)
    monkeypatch.setattr("bot.engines.share_engine", lambda folder: script)
    monkeypatch.setattr("tui.core.doctor.base.trouble_of", lambda folder: None)  # it holds no model that loads
    return script


def a_reply(home: Path, text: str = "We open at nine.") -> int:
    """A finished reply in the desk at *home*."""
    with Desk.open(home) as desk:
        conversation = desk.conversations.create("tester")
        message = desk.conversations.add_customer(conversation.id, "When do you open?", "tester")
        reply = desk.conversations.begin_reply(message.id, BASE, {})
        desk.conversations.finish_reply(reply.id, text, "complete", Measured(5, 0.5, 0.1))
        return reply.id
