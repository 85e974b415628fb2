"""``deskloop backup`` and ``deskloop restore``: a desk as one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from store.home import Home
from tui.cli.context import Cli, force_option, home_option, json_option, pass_cli
from tui.core.backup import restore as bring_back


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@force_option
@home_option
@json_option
@pass_cli
def backup(cli: Cli, file: Path, force: bool) -> None:
    """Write the whole desk but models and logs to the new FILE, checked; `-` is standard output.

    Apps may be open meanwhile. A desk that is damaged gives no backup, and is told what to do.
    """
    with cli.stdout_if_named(file) as stdout:
        done = cli.do(lambda desk: desk.backup.write(file, force=force, stdout=stdout))
    if stdout is None:
        cli.emit({"file": str(done.file), "bytes": done.size, "versions": done.versions, "left_out": done.left_out,
                  "notes": done.notes})  # fmt: skip
    for sentence in done.notes:
        cli.say(sentence)
    what = f"the desk with {len(done.versions)} versions, {done.size / 2**20:.1f} MiB"
    if stdout is None:
        cli.say(f"{done.file} holds {what}. Only you can read it: it holds what customers said.")
    else:
        cli.say(f"Written: {what}. It holds what customers said.")


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
