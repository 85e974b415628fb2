"""Desks that are missing, misspelt, damaged or may only be read: what the commands make of them."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from bot.adapters import WEIGHTS_NAME
from store.desk import Desk
from store.pairs import NewPair
from store.words import Version
from tests.cli.conftest import Deskloop, a_reply
from tests.core.conftest import make_version

LOOKING: list[list[object]] = [
    ["pairs", "list"], ["pairs", "export", "-"], ["versions", "list"], ["versions", "show", "v1"],
    ["versions", "verify"], ["runs", "list"], ["runs", "show", 1], ["settings", "list"],
]  # fmt: skip
EVERYTHING: list[list[object]] = [
    *LOOKING, ["doctor"], ["ask", "When?"], ["correct", 2, "At eight."], ["approve", 2], ["retrain", "--yes"],
    ["versions", "rollback"], ["settings", "set", "min_pairs", 9], ["runs", "discard", 1],
]  # fmt: skip


@pytest.fixture
def lived_in(home: Path) -> Path:
    """A desk with something of everything."""
    a_reply(home)
    with Desk.open(home) as desk:
        desk.pairs.add_many((NewPair(f"Question {n}?", "Answer. " * 9) for n in range(30)), "import", "ann")
        make_version(desk, "promote")
        desk.promotions.promote(Version("v1"), "gate", "tester", run_id=1)
    return home


# -- a home that is none ---------------------------------------------------------------------------
@pytest.mark.parametrize("arguments", EVERYTHING)
def test_a_misspelt_home_makes_no_desk(deskloop: Deskloop, tmp_path: Path, arguments: list[object]) -> None:
    result = deskloop(*arguments, "--home", tmp_path / "tpyo")
    assert result.exit_code == 1
    assert f"There is no desk in {tmp_path / 'tpyo'}, and none was created" in result.stderr
    assert "--create" in result.stderr
    assert not (tmp_path / "tpyo").exists()


def test_a_desk_is_made_where_that_is_meant(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"instruction": "When?", "output": "At nine."}))
    assert deskloop("pairs", "import", tmp_path / "in.jsonl", "--home", tmp_path / "a").exit_code == 0
    assert deskloop("pairs", "list", "--create", "--home", tmp_path / "b").exit_code == 0
    assert deskloop("--create", "pairs", "list", "--home", tmp_path / "c").exit_code == 0
    for name in "abc":
        assert deskloop("pairs", "list", "--home", tmp_path / name).exit_code == 0


def test_a_folder_of_other_things_becomes_no_desk(deskloop: Deskloop, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    tmp_path.chmod(0o755)
    result = deskloop("pairs", "list", "--create", "--home", tmp_path)
    assert result.exit_code == 1
    assert "contains other files (letters)" in result.stderr
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("arguments", [*EVERYTHING, ["backup", "x.tar"], ["pairs", "list", "--create"], ["setup"]])
def test_a_missing_database_is_an_error_for_every_command(
    deskloop: Deskloop, lived_in: Path, tmp_path: Path, state: str, arguments: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (lived_in / "desk.db").unlink()
    if state == "empty":
        (lived_in / "desk.db").touch()
    weights = (lived_in / "adapters" / "v1" / WEIGHTS_NAME).read_bytes()
    result = deskloop(*arguments, "--home", lived_in)
    assert result.exit_code == 1
    told = result.stdout if arguments == ["doctor"] else result.stderr
    assert f"desk.db is {state}, beside the adapters v1" in told
    assert "restore FILE" in told
    assert (lived_in / "adapters" / "v1" / WEIGHTS_NAME).read_bytes() == weights
    assert not (lived_in / "desk.db").exists() or not (lived_in / "desk.db").stat().st_size


def examined(deskloop: Deskloop, home: Path) -> dict[str, dict[str, Any]]:
    """What doctor finds, by the names of its checks."""
    found = json.loads(deskloop("doctor", "--json", "--home", home).stdout)
    return {check["name"]: check for check in found["checks"]}


def test_doctor_tells_what_is_safe_beside_a_missing_database(deskloop: Deskloop, lived_in: Path) -> None:
    (lived_in / "desk.db").unlink()
    found = examined(deskloop, lived_in)
    assert not found["store"]["ok"]
    assert (found["adapters"]["ok"], found["adapters"]["finding"]) == (True, "intact on the disk: v1")


def test_doctor_tells_of_adapters_that_no_row_knows(deskloop: Deskloop, lived_in: Path) -> None:
    (lived_in / "adapters" / "v7").mkdir()
    found = examined(deskloop, lived_in)
    assert "v7 in" in found["adapters"]["finding"]
    assert "nothing is deleted" in found["adapters"]["todo"]


# -- damage ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(30))
def test_no_damage_makes_a_command_speak_python(deskloop: Deskloop, lived_in: Path, tmp_path: Path, seed: int) -> None:
    chance, file = random.Random(seed), lived_in / "desk.db"
    raw = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 5, 50, 500])):
        raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
    if seed % 5 == 0:
        raw = raw[: chance.randrange(1, len(raw))]
    if seed % 5 == 1:
        (lived_in / "desk.db-wal").write_bytes(chance.randbytes(9000))
    file.write_bytes(bytes(raw))
    everything = [*EVERYTHING, ["backup", tmp_path / "b.tar"]]
    for arguments in chance.sample(everything, 6):
        result = deskloop(*arguments, "--home", lived_in)
        assert result.exit_code in (0, 1), (arguments, result.exception)
        assert "Traceback" not in result.output + result.stderr
        assert result.exception is None or isinstance(result.exception, SystemExit)
        if result.exit_code and arguments[0] not in (
            "doctor",
            "ask",
            "retrain",
            "versions",
            "runs",
            "correct",
            "approve",
        ):
            assert str(file) in result.stderr or "damaged" in result.stderr, (arguments, result.stderr)
    if (tmp_path / "b.tar").exists():
        assert deskloop("restore", tmp_path / "b.tar", "--home", tmp_path / "again").exit_code == 0


def test_a_damaged_desk_gives_no_backup_and_is_told_what_to_do(
    deskloop: Deskloop, lived_in: Path, tmp_path: Path
) -> None:
    with Desk.open(lived_in) as desk:
        desk.db.run("PRAGMA foreign_keys = OFF")
        desk.db.run("INSERT INTO approvals (reply_id, created_at, created_by) VALUES (99, '', '')")
    result = deskloop("backup", tmp_path / "b.tar", "--home", lived_in)
    assert result.exit_code == 1
    for word in ("No backup was made", "desk.db is damaged", "Adapters and models are safe", "deskloop restore FILE"):
        assert word in result.stderr
    assert not (tmp_path / "b.tar").exists()
    found = deskloop("doctor", "--home", lived_in)
    assert "a row of approvals points to nothing" in found.stdout


def test_values_that_can_not_be_read_are_told_and_stop_nothing(
    deskloop: Deskloop, lived_in: Path, tmp_path: Path
) -> None:
    with Desk.open(lived_in) as desk:
        desk.db.run('UPDATE runs SET report = \'{"bleu": 5, "languages": [3], "drift": [], "sentence": 1}\'')
        desk.db.run("INSERT OR REPLACE INTO settings VALUES ('theme', '{', '', '')")
    for arguments in LOOKING:
        assert deskloop(*arguments, "--home", lived_in).exit_code == 0, arguments
    found = deskloop("doctor", "--home", lived_in)
    assert "2 values can't be read and are treated as empty: report of runs 1, value of settings theme." in found.stdout
    made = deskloop("backup", tmp_path / "b.tar", "--home", lived_in)
    assert made.exit_code == 0
    assert "report of runs 1" in made.stderr


def test_of_damaged_pairs_the_rest_is_exported_and_the_loss_is_told(
    deskloop: Deskloop, lived_in: Path, tmp_path: Path
) -> None:
    with Desk.open(lived_in) as desk:
        desk.pairs.add_many((NewPair(f"More {n}?", "Answer. " * 40) for n in range(60)), "import", "ann")
        desk.db.run("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [row[0] for row in desk.db.all("SELECT pageno FROM dbstat WHERE name = 'pairs' AND pagetype = 'leaf'")]
    with (lived_in / "desk.db").open("r+b") as file:
        file.seek((pages[-2] - 1) * 4096)
        file.write(b"\xff" * 4096)
    result = deskloop("pairs", "export", tmp_path / "out.jsonl", "--home", lived_in)
    assert result.exit_code == 1
    assert "nothing could be read" in result.stderr
    assert 40 < len((tmp_path / "out.jsonl").read_text().splitlines()) < 90


# -- only to be read -------------------------------------------------------------------------------
def test_a_desk_that_may_only_be_read_is_looked_at_exported_and_backed_up(
    deskloop: Deskloop, lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not mode & os.W_OK and access(path, mode, **more))
    for arguments in [*LOOKING, ["backup", tmp_path / "b.tar"]]:
        assert deskloop(*arguments, "--home", lived_in).exit_code == 0, arguments
    (tmp_path / "in.jsonl").write_text(json.dumps({"instruction": "How?", "output": "So."}))
    writing: list[list[object]] = [
        ["correct", 2, "At eight."], ["settings", "set", "min_pairs", 9], ["pairs", "import", tmp_path / "in.jsonl"],
    ]  # fmt: skip
    for arguments in writing:
        result = deskloop(*arguments, "--home", lived_in)
        assert result.exit_code == 1
        assert f"{lived_in / 'desk.db'} can only be read" in result.stderr
    found = deskloop("doctor", "--home", lived_in)
    assert found.exit_code == 1
    assert "can only be read" in found.stdout
    monkeypatch.undo()
    assert deskloop("restore", tmp_path / "b.tar", "--home", tmp_path / "again").exit_code == 0


def test_doctor_names_what_others_can_read(deskloop: Deskloop, lived_in: Path) -> None:
    def home_check() -> dict[str, Any]:
        return examined(deskloop, lived_in)["home"]

    assert home_check()["ok"]
    lived_in.chmod(0o755)
    assert home_check()["ok"]  # what is in it is closed
    (lived_in / "logs").chmod(0o755)
    assert home_check()["todo"] == f"chmod 700 {lived_in / 'logs'}"
    lived_in.chmod(0o777)
    assert home_check()["todo"] == f"chmod go-w {lived_in}"
