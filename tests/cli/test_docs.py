"""Documentation that cannot rot: every command is in the README, and has a help text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from finetune.recipe_table import FILE, page
from tui.cli.root import cli

ROOT = Path(__file__).parents[2]


def commands(group: click.Group, prefix: str = "deskloop") -> Iterator[tuple[str, click.Command]]:
    """Every command below *group* with its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


ALL = dict(commands(cli))


@pytest.mark.parametrize("name", ALL)
def test_the_readme_names_every_command(name: str) -> None:
    assert f"`{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_every_command_explains_itself(name: str) -> None:
    command = ALL[name]
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", ALL)
def test_every_command_takes_a_home(name: str) -> None:
    assert "home" in [parameter.name for parameter in ALL[name].params]


def test_the_page_on_recipes_is_the_recipes_own() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run python -m finetune.recipe_table"
