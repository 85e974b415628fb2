"""``deskloop doctor``: what is wrong with this desk, and what to do."""

from __future__ import annotations

import click

from store.errors import BROKEN
from store.home import Home, NoDesk
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.core import DeskError
from tui.core.doctor import examine_unreadable


@click.command()
@home_option
@json_option
@pass_cli
def doctor(cli: Cli) -> None:
    """Check machine, memory, base, store and adapters; say what is wrong and what to do. Exit 1 if something is."""
    try:
        checks = cli.read(lambda desk: list(desk.health.examine()))
    except NoDesk:
        raise
    except (DeskError, *BROKEN) as error:
        checks = list(examine_unreadable(Home(Home.place(cli.home)), error))
    wrong = [check for check in checks if not check.ok]
    cli.emit({"ok": not wrong, "checks": [check.to_dict() for check in checks]})
    for check in checks:
        cli.data(f"{'ok   ' if check.ok else 'WRONG'}  {check.name:<9} {check.finding}")
        if check.todo:
            cli.data(f"{'':17}-> {check.todo}")
    if wrong:
        raise click.exceptions.Exit(FAILED)
