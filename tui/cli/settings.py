"""``deskloop settings``: the desk's persona, base, decoding and gate, one by one."""

from __future__ import annotations

from dataclasses import asdict

import click

from tui.cli.context import Cli, home_option, json_option, one_line_json, pass_cli
from tui.cli.typed import TYPED


@click.group(invoke_without_command=True)
@home_option
@json_option
@click.pass_context
def settings(ctx: click.Context) -> None:
    """List, read and change the settings of the desk."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_settings)


@settings.command("list")
@home_option
@json_option
@pass_cli
def list_settings(cli: Cli) -> None:
    """List every setting with its value."""
    values = asdict(cli.read(lambda desk: desk.settings.now))
    cli.emit(values)
    for key, value in values.items():
        cli.data(f"{key} = {one_line_json(value)}")


@settings.command("get")
@click.argument("key")
@home_option
@json_option
@pass_cli
def get_setting(cli: Cli, key: str) -> None:
    """Print the value of KEY."""
    values = asdict(cli.read(lambda desk: desk.settings.now))
    if key not in values:
        raise click.UsageError(f"There is no setting {key!r}. Settings: {', '.join(values)}.")
    cli.emit({key: values[key]})
    cli.data(str(values[key]))


@settings.command("set")
@click.argument("key")
@click.argument("value", type=TYPED)
@home_option
@json_option
@pass_cli
def set_setting(cli: Cli, key: str, value: str) -> None:
    """Set KEY to VALUE (a word, a number, or JSON; - is read from standard input)."""
    changed = cli.read(lambda desk: asdict(desk.settings.change(key, value)))
    cli.emit({key: changed[key]})
    cli.say(f"{key} is now {one_line_json(changed[key])}.")
