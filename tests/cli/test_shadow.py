"""`deskloop versions shadow`: turned on, asked for, reported and turned off."""

from __future__ import annotations

import json
from pathlib import Path

from store.desk import Desk
from store.words import BASE, Version
from tests.cli.conftest import Deskloop
from tests.core.conftest import make_version


def test_a_version_is_tried_unseen_and_its_report_is_data(deskloop: Deskloop, home: Path) -> None:
    with Desk.open(home) as desk:
        make_version(desk, "inconclusive")
    on = deskloop("versions", "shadow", "v1", "--home", home)
    assert on.exit_code == 0, on.output
    assert "while an app is open" in on.stdout
    assert json.loads(deskloop("versions", "shadow", "--json", "--home", home).stdout) == {"shadow": "v1"}
    with Desk.open(home) as desk:
        turn = desk.conversations.add_customer(desk.conversations.create("maria").id, "When?", "maria")
        reply = desk.conversations.begin_reply(turn.id, BASE, {})
        desk.conversations.finish_reply(reply.id, "At ten.", "complete")
        asked = desk.shadows.next()
        assert asked is not None
        desk.shadows.keep(asked, Version("v1"), "At nine o'clock.")
        desk.judgements.correct(reply.id, "At nine o'clock.", "maria")
    report = json.loads(deskloop("versions", "shadow", "v1", "--report", "--json", "--home", home).stdout)
    assert (report["answered"], report["better"], report["worse"], report["on"]) == (1, 1, 0, True)
    assert report["differences"][0]["said"] == "At nine o'clock."
    words = deskloop("versions", "shadow", "--report", "--home", home).stdout
    assert "better: When?" in words
    assert "corrected to: At nine o'clock." in words
    assert "v1 said: At nine o'clock." in words
    off = deskloop("versions", "shadow", "--off", "--home", home)
    assert off.stdout == "No version answers unseen.\n"
    nobody = deskloop("versions", "shadow", "--report", "--home", home)
    assert (nobody.exit_code, nobody.stderr) == (1, "No version answers unseen. Name the one whose report you want.\n")


def test_what_can_not_be_tried_is_said_in_a_sentence(deskloop: Deskloop, home: Path) -> None:
    unknown = deskloop("versions", "shadow", "v7", "--home", home)
    assert unknown.exit_code == 1
    assert "There is no version v7." in unknown.stderr
    both = deskloop("versions", "shadow", "v7", "--off", "--home", home)
    assert both.exit_code == 2
