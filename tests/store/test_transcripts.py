"""A conversation as a file: what was said stays text, and no file is overwritten."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from store.conversations.transcripts import as_json, as_markdown, file_name, write_new
from store.desk import Desk
from store.writing import TargetRefused
from tests.store.test_desk import said

HOSTILE = "```\n<script>alert(1)</script>\n![x](http://evil/)\n````\n\x1b]52;c;aGk=\x07after"


def test_nothing_in_a_text_gets_out_of_its_fence(desk: Desk) -> None:
    reply = said(desk, HOSTILE, HOSTILE)
    desk.judgements.correct(reply, "Better.", "ann")
    conversation = desk.conversations.rename(1, "<img src=x> [a](b)")
    whole = as_markdown(conversation, desk.conversations.turns(1))
    assert whole.startswith(r"# \<img src=x\> \[a\]\(b\)")
    assert whole.count("\n`````\n") == 2  # the longest run of ticks inside is four
    assert "\x1b" not in whole
    assert "It should have said:\n\n```text\nBetter.\n```" in whole


def test_json_has_every_turn_with_what_became_of_it(desk: Desk) -> None:
    desk.judgements.correct(said(desk), "On its way.", "ann")
    whole = json.loads(as_json(desk.conversations.get(1), desk.conversations.turns(1)))
    assert [(turn["role"], turn["text"]) for turn in whole["turns"]] == [
        ("customer", "Where is my order?"),
        ("agent", "No idea."),
    ]
    assert whole["turns"][1]["correction"] == "On its way."


def test_a_file_is_for_its_owner_alone_and_never_overwritten(desk: Desk, tmp_path: Path) -> None:
    said(desk, "../../etc/passwd and 订单")
    name = file_name(desk.conversations.get(1))
    assert name == "conversation-1-etc-passwd-and-订单.md"
    write_new(tmp_path / name, "one")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with pytest.raises(TargetRefused):
        write_new(tmp_path / name, "two")
    assert (tmp_path / name).read_text() == "one"
