"""The administrator's page: its file of settings is good, and what it says of commands is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from store.desk import Desk
from store.settings import Settings
from tui.cli.root import COMMANDS
from tui.core.checking import check_settings

PAGE = (Path(__file__).parents[1] / "docs" / "administration.md").read_text(encoding="utf-8")
[EXAMPLE] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_file_on_the_page_is_good_and_names_every_setting(desk: Desk) -> None:
    desk.settings.check = check_settings
    desk.home.settings_file.write_text(EXAMPLE, encoding="utf-8")
    found = desk.settings.take_file(desk.home.settings_file, "ann")
    assert found.problem is None
    assert set(found.values) == {item.name for item in fields(Settings)}


def test_what_the_page_calls_the_usual_is_the_usual(desk: Desk) -> None:
    desk.home.settings_file.write_text(EXAMPLE, encoding="utf-8")
    values = desk.settings.take_file(desk.home.settings_file, "ann").values
    usual = Settings()
    for name in set(values) - {"system_message", "faithful", "natural", "hand_over_message", "keys"}:
        assert values[name] == getattr(usual, name), name


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?:`|^    )deskloop (\w+)", PAGE, re.MULTILINE))))
def test_the_page_names_commands_that_exist(command: str) -> None:
    assert command in COMMANDS
