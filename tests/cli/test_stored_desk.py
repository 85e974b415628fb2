"""A desk made before the first release opens whole: all that was said, taught and trained is there, and goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.desk import Desk
from tests import old_desk
from tests.cli.conftest import Deskloop


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DESKLOOP_MODELS", raising=False)
    return old_desk.unpack(tmp_path, "9f9428d")


def rows_of(deskloop: Deskloop, old: Path, *words: str, code: int = 0) -> list[Any]:
    """The lines of JSON that a command prints."""
    done = deskloop("--home", old, "--json", *words)
    assert done.exit_code == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_everything_in_it_is_there(deskloop: Deskloop, old: Path) -> None:
    versions = rows_of(deskloop, old, "versions", "list")
    assert [(row["version"], row["active"], row["verdict"]) for row in versions] == [
        ("base", False, None),
        ("v1", True, "inconclusive"),
        ("v2", False, "inconclusive"),
    ]
    assert all(row["ok"] for row in rows_of(deskloop, old, "versions", "verify"))
    runs = rows_of(deskloop, old, "runs", "list")
    assert [(row["id"], row["state"]) for row in runs] == [(3, "interrupted"), (2, "held"), (1, "held")]
    (settings,) = rows_of(deskloop, old, "settings", "list")
    assert (settings["base"], settings["operator"], settings["faithful"]) == ("tiny", "Ada", {"max_new_tokens": 12})
    pairs = rows_of(deskloop, old, "pairs", "list")
    assert [row["source"] for row in pairs] == ["import"] * 30 + ["correction", "approval", "correction", "correction"]
    doctor = rows_of(deskloop, old, "doctor", code=1)[0]
    wrong = {check["name"]: check["finding"] for check in doctor["checks"] if not check["ok"]}
    assert "interrupted" in wrong["runs"]
    assert not {"home", "store", "settings", "base", "adapters"} & set(wrong)
    with Desk.open(old) as desk:
        assert desk.conversations.turns(1)[0].text == "When do you open?"
        assert [draft.text for draft in desk.drafts.take("Ada")] == ["half a sentence"]
        assert desk.recipes.get("careful").values == {"epochs": 2.0, "learning_rate": 1e-4}


def test_its_reports_are_told_as_ever(deskloop: Deskloop, old: Path) -> None:
    told = deskloop("--home", old, "runs", "show", "2").stdout
    assert "There are too few held-out pairs to judge v2 by" in told
    (shown,) = rows_of(deskloop, old, "runs", "show", "2")
    assert shown["state"] == "held"
    assert "BLEU" in deskloop("--home", old, "versions", "show", "v2").stdout


def test_its_versions_answer(deskloop: Deskloop, old: Path) -> None:
    answers = {name: rows_of(deskloop, old, "ask", "--version", name, "When do you open?")[-1] for name in ("v1", "v2")}
    assert {name: answer["version"] for name, answer in answers.items()} == {"v1": "v1", "v2": "v2"}
    said = rows_of(deskloop, old, "ask", "When do you open?")[-1]
    assert (said["text"], said["from_correction"]) == ("We open at nine.", 31)  # as it was corrected there
    (back,) = rows_of(deskloop, old, "versions", "rollback")
    assert back["version"] == "base"


def test_its_killed_run_goes_on_to_its_end(deskloop: Deskloop, old: Path) -> None:
    *events, last = rows_of(deskloop, old, "runs", "resume", "3", code=4)
    assert any("Training starts again" in str(event) for event in events)
    assert (last["run"], last["verdict"], last["version"]) == (3, "inconclusive", "v3")
