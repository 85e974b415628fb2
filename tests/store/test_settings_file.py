"""deskloop.toml: taken whole or not at all, and refused with line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.desk import Desk
from store.settings import SettingError, Settings, refuse
from store.settings.file import FILE_NAME, as_lines, line_of, parse

GOOD = """# our shop
quantization = "bf16"
system_message = \"\"\"
You are kind.
You are brief.\"\"\"
gate_margin_bleu = 1

[natural]
temperature = 0.5

[keys]
desk.correct = "f12"
"desk.approve" = "f4"
"""


def take(desk: Desk, text: str | bytes) -> str | None:
    """Write the file and let the desk look; returns what is wrong with it."""
    raw = text if isinstance(text, bytes) else text.encode()
    desk.home.settings_file.write_bytes(raw)
    return desk.settings.take_file(desk.home.settings_file, "root").problem


def test_the_file_wins_over_what_operators_set_for_what_it_names(desk: Desk) -> None:
    desk.settings.set("quantization", "fp32", "ann")
    desk.settings.set("min_pairs", "30", "ann")
    assert take(desk, GOOD) is None
    loaded = desk.settings.load()
    assert (loaded.quantization, loaded.min_pairs, loaded.gate_margin_bleu) == ("bf16", 30, 1.0)
    assert loaded.system_message == "You are kind.\nYou are brief."
    assert loaded.natural == {"temperature": 0.5}
    assert loaded.keys == {"desk.correct": "f12", "desk.approve": "f4"}


def test_what_the_file_gives_cannot_be_set_elsewhere(desk: Desk) -> None:
    take(desk, GOOD)
    with pytest.raises(SettingError, match=r"comes from deskloop\.toml"):
        desk.settings.set("quantization", "nf4", "ann")
    desk.settings.set("operator", "Ann", "ann")
    assert desk.settings.load().operator == "Ann"


def test_without_the_file_what_operators_set_counts_again(desk: Desk) -> None:
    desk.settings.set("quantization", "fp32", "ann")
    take(desk, GOOD)
    desk.home.settings_file.unlink()
    desk.settings.take_file(desk.home.settings_file, "root")
    assert desk.settings.load() == Settings(quantization="fp32")


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ('base = "starter"\nquantization = "int3"\n', "line 2", "quantization must be nf4, bf16 or fp32"),
        ("\n\n[natural]\n# hot\ntemperature = 9.0\n", "line 5", "natural.temperature must be between"),
        ("natural = { top_p = 0.5, heat = 1 }\n", "line 1", "natural.heat is no field of a preset"),
        ('heldout_share = "0.3"\n', "line 1", "heldout_share must be a number"),
        ("min_pairs = true\n", "line 1", "min_pairs must be a whole number"),
        ("\nbasis = 1\n", "line 2", "basis is no setting"),
        ('system_message = """\nlong\n"""\nmin_pairs = 0\n', "line 4", "min_pairs must be 1 or more"),
        ("min_pairs = 9\nmin_pairs = 10\n", "line 2", "this is not TOML"),
        ("min_pairs = \n", "line 1", "this is not TOML"),
        ('base = "x', "line 1", "this is not TOML"),
        ("[keys]\ndesk.correct = 2\n", "line 2", "keys.desk.correct needs a key in quotes"),
        (b"base = 'a'\n\xff\xfe", "line 2", "UTF-8"),
        ("#" * 70_000, FILE_NAME, "longer than 64 KB"),
        ("a = " + "[" * 5000, FILE_NAME, "nested too deep"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason_and_the_last_good_one_stays(
    desk: Desk, text: str | bytes, where: str, why: str
) -> None:
    take(desk, GOOD)
    before = desk.settings.load()
    problem = take(desk, text)
    assert problem is not None
    assert where in problem
    assert why in problem
    assert "last good settings" in problem
    assert desk.settings.load() == before
    with Desk.open(desk.home) as again:  # a start finds the same
        assert again.settings.take_file(desk.home.settings_file, "root").problem == problem
        assert again.settings.load() == before


def test_a_file_that_was_never_good_changes_nothing(desk: Desk) -> None:
    desk.settings.set("min_pairs", "30", "ann")
    problem = take(desk, "min_pairs = 0\n")
    assert problem is not None
    assert "not used until" in problem
    assert desk.settings.load().min_pairs == 30


def test_what_the_store_cannot_know_is_asked(desk: Desk) -> None:
    def check(settings: Settings) -> None:
        for name in settings.keys:
            raise refuse("is no action", "keys", name)

    desk.settings.check = check
    assert "deskloop.toml, line 3: keys.desk.fly is no action." in str(take(desk, '\n[keys]\n"desk.fly" = "f2"\n'))
    with pytest.raises(SettingError, match=r"keys\.desk\.fly is no action"):
        desk.settings.set("keys", '"desk.fly" = "f2"', "ann")


def test_control_characters_in_the_file_reach_no_screen(desk: Desk) -> None:
    problem = take(desk, '"\\u001b]52;c;aGk=\\u0007x" = 1\n')
    assert problem is not None
    assert "\x1b" not in problem


def test_an_unreadable_file_is_said(desk: Desk) -> None:
    desk.home.settings_file.mkdir()
    problem = desk.settings.take_file(desk.home.settings_file, "root").problem
    assert problem is not None
    assert "can't be read" in problem


def test_lines_are_read_back(tmp_path: Path) -> None:
    values = {"desk.correct": 'f"12', "plain": 1.5, "flag": True, "größe": "\\"}
    assert parse(as_lines(values), flat=True) == values


def test_the_line_of_a_value_is_where_it_begins() -> None:
    text = 'a = 1\n\nb = [\n  1,\n  2,\n]\n[natural]\n\n"x y" = 3\n'
    assert [line_of(text, path) for path in [("a",), ("b",), ("natural",), ("natural", "x y"), ("natural", "z")]] == [
        1, 3, 7, 9, 7,
    ]  # fmt: skip
