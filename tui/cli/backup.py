"""``deskloop backup`` and ``deskloop restore``: a desk as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from store.home import Home
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.core.backup import back_up
from tui.core.backup import restore as bring_back


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@home_option
@json_option
@pass_cli
def backup(cli: Cli, file: Path) -> None:
    """Write the whole desk but models and logs to FILE, which must be new. Apps may be open meanwhile."""
    done = cli.do(lambda service: back_up(service.desk, file))
    cli.emit({"file": str(done.file), "bytes": done.size, "versions": done.versions, "left_out": done.left_out})
    for sentence in done.left_out:
        cli.say(sentence)
    cli.say(f"{done.file} holds the desk with {len(done.versions)} versions, {done.size / 2**20:.1f} MiB. Only you can "
            "read it: it holds what customers said.")  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@home_option
@json_option
@pass_cli
def restore(cli: Cli, file: Path) -> None:
    """Make a desk from the backup FILE in a new folder (--home). Everything is checked before it is called restored."""
    done = bring_back(file, Home.place(cli.home))
    cli.emit({"home": str(done.home), "conversations": done.conversations, "versions": done.versions,
              "missing": done.missing})  # fmt: skip
    if done.missing:
        cli.say(f"The backup was made without {', '.join(done.missing)}: their files were damaged then.")
    cli.say(f"Restored to {done.home}: {done.conversations} conversations, {len(done.versions)} versions.")
