"""``deskloop forget``: it says what it will do, does it on --yes only, and what is left to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.engines.scripted import Script
from finetune.files import RunFiles
from finetune.job import Job, JobBase, JobPair, write_job
from finetune.recipe import Recipe
from store.desk import Desk
from store.pairs import NewPair
from store.runs import RunLock
from store.words import BASE, Version
from tests.cli.conftest import Deskloop
from tests.core.conftest import make_version
from tests.leftovers import leftovers
from tui.cli.root import cli

NAME = "Quillfeather"


@pytest.fixture
def filled(home: Path) -> Path:
    """A desk where v1 learned a pair with a name, and answers; v2 went on from it."""
    with Desk.open(home) as desk:
        turn = desk.conversations.add_customer(desk.conversations.create("tester", customer="C-7").id, NAME, "tester")
        reply = desk.conversations.begin_reply(turn.id, BASE, {})
        desk.conversations.finish_reply(reply.id, f"Hello {NAME}", "complete")
        pair = desk.pairs.add(NewPair(f"Who is {NAME}?", "A customer.", split="train"), "import", "tester")
        assert pair is not None
        for parent in ("base", "v1"):
            run = desk.runs.create({}, Version(parent), "tester").id
            desk.runs.set_snapshot(run, [(pair.id, 1)] if parent == "base" else [], [], "0")
            desk.runs.transition(run, "cancelled")
            make_version(desk, run_id=run, base_fingerprint="f" * 64)
        desk.promotions.promote(Version("v1"), "manual", "tester")
    return home


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_without_yes_it_only_says_what_it_would_do(deskloop: Deskloop, filled: Path) -> None:
    result = deskloop("forget", "--text", NAME, "--home", filled, "--json")
    assert result.exit_code == 2
    (plan,) = lines(result.stdout)
    assert plan == {
        "event": "plan",
        "found": True,
        "counts": {"messages and replies": 2, "pairs": 1, "titles of conversations": 1},
        "versions": ["v1", "v2"],
        "runs": [1, 2],
        "unreached": [],
    }
    assert "v1, v2. v1 answers now." in result.stderr
    assert "backups" in result.stderr
    assert "--yes" in result.stderr
    with Desk.open(filled) as desk:
        assert desk.pairs.list()[0].instruction == f"Who is {NAME}?"


def test_with_yes_it_does_and_says_what_is_left(deskloop: Deskloop, filled: Path) -> None:
    result = deskloop("forget", "--text", NAME, "--home", filled, "--json", "--yes")
    assert result.exit_code == 0, result.stderr
    plan, erased = lines(result.stdout)
    assert erased["counts"] == plan["counts"]
    assert (erased["versions"], erased["active"], erased["removable"]) == (["v1", "v2"], "v1", ["v2"])
    assert "deskloop forget --retrain" in result.stderr
    assert NAME not in result.stdout + result.stderr
    assert leftovers(filled, NAME) == []


def test_the_text_may_come_on_standard_input(filled: Path) -> None:
    result = CliRunner().invoke(cli, ["forget", "--text", "-", "--home", str(filled), "--yes"], input=f"{NAME}\n")
    assert result.exit_code == 0, result.stderr
    assert leftovers(filled, NAME) == []


def test_a_customer_by_the_mark_of_ask(deskloop: Deskloop, home: Path, script: Script) -> None:
    assert deskloop("ask", "Where is my violet rake?", "--customer", "C-9", "--home", home).exit_code == 0
    assert deskloop("ask", "Do you sell hats?", "--customer", "C-10", "--home", home).exit_code == 0
    assert deskloop("forget", "--customer", "c-9", "--home", home, "--yes").exit_code == 0
    assert leftovers(home, "violet", "C-9") == []
    with Desk.open(home) as desk:
        assert [turn.text for turn in desk.conversations.turns(2)] == ["Do you sell hats?", "We open at nine."]


def test_nothing_found_is_said_and_no_failure(deskloop: Deskloop, filled: Path) -> None:
    result = deskloop("forget", "--customer", "Nobody", "--home", filled, "--json")
    assert result.exit_code == 0
    assert lines(result.stdout)[0]["found"] is False
    assert "This desk does not contain it" in result.stderr


def test_a_live_run_is_waited_for_by_nobody_but_said(deskloop: Deskloop, filled: Path) -> None:
    with Desk.open(filled) as desk:
        lock = RunLock(desk.home)
        assert lock.acquire()
        result = deskloop("forget", "--text", NAME, "--home", filled, "--yes")
        lock.release()
    assert result.exit_code == 1
    assert "A retraining is in progress" in result.stderr
    with Desk.open(filled) as desk:
        assert desk.pairs.list()[0].instruction == f"Who is {NAME}?"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 2), (["--pair", "1", "--text", NAME], 2), (["--pair", "77"], 1), (["--text", "x"], 1), (["--pair", "x"], 2)],
)
def test_wrong_ways_to_ask(deskloop: Deskloop, filled: Path, arguments: list[str], code: int) -> None:
    assert deskloop("forget", *arguments, "--home", filled).exit_code == code


def test_versions_that_learned_it_are_marked_need_a_reason_and_can_be_removed(deskloop: Deskloop, filled: Path) -> None:
    deskloop("forget", "--text", NAME, "--home", filled, "--yes")
    rows = {row["version"]: row for row in lines(deskloop("versions", "list", "--home", filled, "--json").stdout)}
    assert [rows[name]["erased"] for name in ("base", "v1", "v2")] == [False, True, True]
    assert "learned erased data" in deskloop("versions", "list", "--home", filled).stdout
    refused = deskloop("versions", "activate", "v2", "--no-probe", "--home", filled)
    assert (refused.exit_code, "learned something that has been erased" in refused.stderr) == (1, True)
    forced = deskloop("versions", "activate", "v2", "--no-probe", "--reason", "the base burns", "--home", filled)
    assert forced.exit_code == 0, forced.stderr
    refused = deskloop("versions", "rollback", "--no-probe", "--home", filled)
    assert (refused.exit_code, "give a reason" in refused.stderr) == (1, True)

    removed = deskloop("forget", "--remove-versions", "--home", filled, "--json", "--yes")
    assert lines(removed.stdout) == [{"event": "removed", "versions": ["v1"]}]
    assert not (filled / "adapters" / "v1").exists()
    assert (filled / "adapters" / "v2").is_dir()  # it answers
    assert "removed" in deskloop("versions", "list", "--home", filled).stdout
    assert deskloop("versions", "show", "v1", "--home", filled).exit_code == 0
    for command in (["activate", "v1", "--reason", "x"], ["verify", "v1"], ["export", "v1", filled / "copy"]):
        result = deskloop("versions", *command, "--home", filled)
        assert (result.exit_code, "were removed" in result.stderr) == (1, True), command
    assert deskloop("versions", "verify", "--home", filled).exit_code == 0
    deskloop("versions", "activate", "base", "--home", filled, "--no-probe")
    assert deskloop("versions", "rollback", "--no-probe", "--reason", "why not", "--home", filled).exit_code == 0


def test_a_run_that_worked_on_it_cannot_be_resumed(deskloop: Deskloop, filled: Path) -> None:
    with Desk.open(filled) as desk:
        run = desk.runs.create({}, BASE, "tester").id
        desk.runs.set_snapshot(run, [(1, 1)], [], "0")
        desk.runs.transition(run, "interrupted")
        checkpoints = desk.home.runs / str(run) / "checkpoints"
        checkpoints.mkdir(parents=True)
        (checkpoints / "weights").write_text(NAME)
    assert deskloop("forget", "--text", NAME, "--home", filled, "--yes").exit_code == 0
    assert not checkpoints.exists()
    result = deskloop("runs", "resume", run, "--home", filled)
    assert (result.exit_code, "something it worked on was erased" in result.stderr) == (1, True)
    assert deskloop("runs", "discard", run, "--home", filled).exit_code == 0


@pytest.mark.parametrize("place", ["pair", "system message"])
def test_the_job_of_an_interrupted_run_goes(deskloop: Deskloop, filled: Path, place: str) -> None:
    """It holds texts: those of pairs, and what the desk told the bot when the run began."""
    with Desk.open(filled) as desk:
        other = desk.pairs.add(NewPair("Who else?", "Nobody.", split="train"), "import", "tester")
        assert other is not None
        run = desk.runs.create({}, BASE, "tester").id
        desk.runs.set_snapshot(run, [(1 if place == "pair" else other.id, 1)], [], "0")
        desk.runs.transition(run, "interrupted")
        files = RunFiles.of(desk.home, run)
    base = JobBase("tiny", "nf4", None, "f" * 64)
    system = f"You work for {NAME}." if place == "system message" else ""
    learned = [JobPair(f"Who is {NAME}?" if place == "pair" else "Who else?", (), "A customer.", "en")]
    write_job(files.job, Job(Recipe(), base, system, BASE, "held-out", {}), learned, [], None)
    plan = lines(deskloop("forget", "--text", NAME, "--home", filled, "--json").stdout)[0]
    assert (plan["counts"]["runs with checkpoints"], plan["unreached"]) == (1, [])
    assert deskloop("forget", "--text", NAME, "--home", filled, "--yes").exit_code == 0
    assert not files.has_work
    assert leftovers(filled, NAME) == []


def test_the_next_retraining_begins_from_the_base(filled: Path, deskloop: Deskloop) -> None:
    from finetune.parent import warm_parent

    with Desk.open(filled) as desk:
        plain = Recipe(frozen=0.0)  # as its version's recipe, which is of before that field
        assert warm_parent(desk, plain) == "v1"
        deskloop("forget", "--text", NAME, "--home", filled, "--yes")
        assert warm_parent(desk, plain) == "base"


def test_doctor_says_what_is_left_to_do(filled: Path, deskloop: Deskloop) -> None:
    def finding() -> dict[str, Any]:
        checks = json.loads(deskloop("doctor", "--home", filled, "--json").stdout)["checks"]
        found: dict[str, Any] = next(check for check in checks if check["name"] == "erased")
        return found

    assert finding()["ok"]
    deskloop("forget", "--text", NAME, "--home", filled, "--yes")
    assert finding()["todo"] == "deskloop forget --retrain"
    with Desk.open(filled) as desk:
        desk.promotions.promote(BASE, "manual", "tester")
        desk.db.run("UPDATE erasures SET swept_at = NULL")
    assert finding()["todo"] == "deskloop forget --finish"
    assert deskloop("forget", "--finish", "--home", filled).exit_code == 0
    assert finding()["todo"] == "deskloop forget --remove-versions"
    assert deskloop("forget", "--remove-versions", "--yes", "--home", filled).exit_code == 0
    assert finding()["ok"]
