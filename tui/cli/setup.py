"""``deskloop setup``: get a base model for the desk."""

from __future__ import annotations

import click

from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.core.setup import Prepared


@click.command()
@click.option("--base", metavar="BASE", help="A hub id (downloaded now), a local folder, a GGUF file, or `starter`.")
@home_option
@json_option
@pass_cli
def setup(cli: Cli, base: str | None) -> None:
    """Prepare the model this desk answers with; without --base the one its settings name (at first: the starter).

    It is looked at before it is used: whether it is whole, its chat template, what ends its turns, and the memory it
    needs. The base that worked stays until the new one has answered once.

    The starter is a small model that comes as a Python package; a hub id is downloaded only by this command.
    """

    async def work() -> Prepared:
        async with cli.desk(create=True) as desk:
            return await desk.bases.set_up(base, cli.say)

    prepared = cli.run(work())
    cli.emit({"base": prepared.base, "folder": str(prepared.folder), "prepared_now": prepared.fresh})
    cli.data(f"{prepared.base} is ready in {prepared.folder}.")
