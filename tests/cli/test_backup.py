"""``deskloop backup`` and ``deskloop restore``, with adapters."""

from __future__ import annotations

import json
from pathlib import Path

from bot.adapters import WEIGHTS_NAME
from store.desk import Desk
from store.words import Version
from tests.cli.conftest import Deskloop, a_reply
from tests.core.conftest import make_version


def test_a_desk_goes_into_a_file_and_comes_back(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    a_reply(home)
    with Desk.open(home) as desk:
        make_version(desk, "promote")
        desk.promotions.promote(Version("v1"), "gate", "tester", run_id=1)
        made = deskloop("backup", tmp_path / "b.tar", "--home", home, "--json")  # while an app is open
    assert made.exit_code == 0
    assert json.loads(made.stdout)["versions"] == ["v1"]
    back = deskloop("restore", tmp_path / "b.tar", "--home", tmp_path / "new", "--json")
    assert json.loads(back.stdout) == {
        "home": str(tmp_path / "new"), "conversations": 1, "versions": ["v1"], "missing": [],
    }  # fmt: skip
    assert deskloop("versions", "verify", "--home", tmp_path / "new").exit_code == 0
    with Desk.open(tmp_path / "new") as desk:
        assert desk.promotions.active() == "v1"
    again = deskloop("restore", tmp_path / "b.tar", "--home", tmp_path / "new")
    assert again.exit_code == 1
    assert "is not empty" in again.stderr
    assert deskloop("backup", tmp_path / "b.tar", "--home", home).exit_code == 1


def test_a_damaged_version_is_left_out_and_said(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    with Desk.open(home) as desk:
        for _ in range(2):
            make_version(desk)
        (desk.home.adapters / "v1" / WEIGHTS_NAME).write_bytes(b"rot")
    made = deskloop("backup", tmp_path / "b.tar", "--home", home)
    assert made.exit_code == 0
    assert "v1 is left out" in made.stderr
    back = deskloop("restore", tmp_path / "b.tar", "--home", tmp_path / "new")
    assert back.exit_code == 0
    assert "without v1" in back.stderr
