"""What scripts depend on: where options may stand, what goes to stdout, exit codes, and no tracebacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.desk import Desk
from store.home import Home
from store.pairs import NewPair
from tests.cli.conftest import Deskloop, a_reply
from tui.cli.context import one_line_json
from tui.core.crashes import reports


@pytest.mark.parametrize("order", ["before", "after", "group", "environment"])
def test_the_home_may_stand_anywhere(
    deskloop: Deskloop, home: Path, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: dict[str, list[object]] = {
        "before": ["--home", home, "pairs", "list", "--json"],
        "group": ["pairs", "--home", home, "list", "--json"],
        "after": ["pairs", "list", "--json", "--home", home],
        "environment": ["pairs", "list", "--json"],
    }
    if order == "environment":
        monkeypatch.setenv("DESKLOOP_HOME", str(home))
    result = deskloop(*arguments[order])
    assert result.exit_code == 0, result.stderr
    assert (home / "desk.db").is_file()
    assert not (home.parent / "by-environment").exists()


def test_the_home_nearest_to_the_command_wins(deskloop: Deskloop, home: Path) -> None:
    homes = home.parent / "homes"
    deskloop("--home", homes / "outer", "pairs", "list", "--home", homes / "inner", "--create")
    assert [path.name for path in homes.iterdir()] == ["inner"]


@pytest.mark.parametrize("group", ["pairs", "versions", "runs", "settings"])
def test_a_group_without_a_command_lists(deskloop: Deskloop, home: Path, group: str) -> None:
    result = deskloop(group, "--json", "--home", home)
    assert result.exit_code == 0, result.stderr
    for line in result.stdout.splitlines():
        json.loads(line)


def test_correct_and_approve_take_the_number_ask_gave(deskloop: Deskloop, home: Path) -> None:
    reply = a_reply(home)
    corrected = deskloop("correct", reply, "We open at eight.", "--home", home, "--json")
    assert corrected.exit_code == 0, corrected.stderr
    assert json.loads(corrected.stdout) | {"pair": 0} == {"reply_id": reply, "pair": 0, "waiting": 1}
    approved = deskloop("approve", reply, "--home", home, "--json")
    assert json.loads(approved.stdout)["waiting"] == 0
    with Desk.open(home) as desk:
        assert [pair.source for pair in desk.pairs.list()] == ["approval"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["correct", "99", "better"], "There is no turn 99."),
        (["approve", "99"], "There is no turn 99."),
        (["versions", "activate", "v7"], "There is no version v7."),
        (["versions", "show", "v7"], "There is no version v7."),
        (["versions", "verify", "v7"], "There is no version v7."),
        (["versions", "rollback"], "There is no earlier version"),
        (["runs", "show", "4"], "There is no run 4."),
        (["runs", "resume", "4"], "There is no run 4."),
        (["runs", "discard", "4"], "There is no run 4."),
        (["ask", "hello"], "deskloop setup"),
        (["settings", "set", "min_pairs", "many"], "must be a whole number"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(
    deskloop: Deskloop, home: Path, arguments: list[str], sentence: str
) -> None:
    result = deskloop(*arguments, "--home", home, "--json")
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["ask"], ["correct", "x", "text"], ["pairs", "import", "/no/such/file"], ["settings", "get", "x"]],
)
def test_wrong_usage_is_exit_code_2(deskloop: Deskloop, home: Path, arguments: list[str]) -> None:
    assert deskloop("--home", home, *arguments).exit_code == 2


def test_a_crash_is_one_sentence_with_the_report_that_holds_the_rest(
    deskloop: Deskloop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: object) -> None:
        raise RuntimeError("boom \x1b[31m")

    monkeypatch.setattr("store.conversations.judgements.Judgements.waiting", crash)
    result = deskloop("approve", a_reply(home), "--home", home)
    (log,) = reports(Home(home))
    assert result.exit_code == 1
    assert str(log) in result.stderr
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    told = log.read_text(encoding="utf-8")
    assert "test_contract.py" in told
    assert "RuntimeError" in told
    assert "boom \x1b" not in told  # a message may quote what customers said
    assert log.stat().st_mode & 0o077 == 0


def test_control_characters_do_not_reach_the_terminal(deskloop: Deskloop, home: Path) -> None:
    with Desk.open(home) as desk:
        desk.db.run("INSERT INTO settings (key, value, updated_at, updated_by) VALUES ('operator', ?, '', '')",
                    json.dumps("\x1b]52;c;aGk=\x07Eve\x9b31m"))  # fmt: skip
    plain, as_json = deskloop("settings", "--home", home), deskloop("settings", "--home", home, "--json")
    for text in (plain.stdout, as_json.stdout):
        assert not set(text) & set("\x1b\x07\x9b")
    assert json.loads(as_json.stdout)["operator"].endswith("Eve\x9b31m")


def test_one_line_json_keeps_its_line_and_its_meaning() -> None:
    value = {"text": "a\nb\u2028c\x85d\x9be 你好 \u202e"}
    line = one_line_json(value)
    assert len(line.splitlines()) == 1
    assert "你好" in line
    assert json.loads(line) == value


def test_one_line_json_hides_nothing() -> None:
    value = {"text": "a\U000e0041\u200b\x7f ❤\ufe0f می\u200cخواهم"}
    line = one_line_json(value)
    assert json.loads(line) == value
    assert "\\udb40\\udc41\\u200b\\u007f" in line
    assert line.endswith(' ❤\ufe0f می\u200cخواهم"}')


def test_settings_are_set_and_read(deskloop: Deskloop, home: Path) -> None:
    assert deskloop("settings", "set", "min_pairs", "12", "--home", home).exit_code == 0
    assert deskloop("settings", "get", "min_pairs", "--home", home).stdout == "12\n"


def test_an_export_replaces_nothing_unless_told(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    Desk.open(home).close()
    (tmp_path / "out.json").write_text("mine")
    refused = deskloop("pairs", "export", tmp_path / "out.json", "--home", home)
    assert (refused.exit_code, (tmp_path / "out.json").read_text()) == (1, "mine")
    assert "already exists and was left unchanged" in refused.stderr
    assert "--force" in refused.stderr
    assert deskloop("pairs", "export", tmp_path / "out.json", "--force", "--home", home).exit_code == 0
    assert (tmp_path / "out.json").read_text() == "[]\n"
    device = deskloop("pairs", "export", "/dev/null", "--force", "--home", home)
    assert device.exit_code == 1
    assert "is a device" in device.stderr
    folder = deskloop("pairs", "export", tmp_path, "--force", "--home", home)
    assert "is a folder" in folder.stderr


def test_an_export_to_standard_output_has_it_for_itself(deskloop: Deskloop, home: Path) -> None:
    with Desk.open(home) as desk:
        desk.pairs.add(NewPair("When?", "At nine.", category="hours"), "import", "ann")
    result = deskloop("pairs", "export", "-", "--home", home)
    assert json.loads(result.stdout)["output"] == "At nine."
    assert "1 pair written." in result.stderr
    assert deskloop("pairs", "export", "-", "--json", "--home", home).exit_code == 2
    assert not Path("-").exists()
