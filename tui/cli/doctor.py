"""``deskloop doctor``: what is wrong with this desk, and what to do."""

from __future__ import annotations

import sqlite3

import click

from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.core.doctor import examine, unreadable_store


@click.command()
@home_option
@json_option
@pass_cli
def doctor(cli: Cli) -> None:
    """Check machine, memory, base, store and adapters; say what is wrong and what to do. Exit 1 if something is."""
    try:
        checks = cli.do(lambda service: list(examine(service.desk)))
    except sqlite3.DatabaseError as error:
        checks = [unreadable_store(cli.open_home(), error)]
    wrong = [check for check in checks if not check.ok]
    cli.emit({"ok": not wrong, "checks": [check.to_dict() for check in checks]})
    for check in checks:
        cli.data(f"{'ok   ' if check.ok else 'WRONG'}  {check.name:<9} {check.finding}")
        if check.todo:
            cli.data(f"{'':17}-> {check.todo}")
    if wrong:
        raise click.exceptions.Exit(FAILED)
