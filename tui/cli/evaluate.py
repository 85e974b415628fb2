"""``deskloop evaluate``: how well a version answers the questions of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from store.words import Version
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.progress import Line
from tui.cli.typed import VERSION, typed_file


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--version", type=VERSION, metavar="vN|base", help="Measure this version instead of the active one.")
@click.option("--format", "format_", metavar="F", help="alpaca, messages, sharegpt, csv or turns; default: detected.")
@home_option
@json_option
@pass_cli
def evaluate(cli: Cli, file: Path, version: Version | None, format_: str | None) -> None:
    """Ask every question of FILE and compare the answers with the file's: BLEU, chrF, exact matches.

    Nothing of the file is kept, and nothing is trained on it. FILE - is standard input.
    """
    line = Line(cli)

    async def work() -> dict[str, Any]:
        async with cli.desk(pin=version) as desk:
            if version is not None:
                await desk.promotions.check(version)
            cli.say("Loading the model...")
            with typed_file(file, desk.home.root) as path:
                return await desk.comparisons.evaluate(
                    path, format_, lambda done, all_: line.write(f"{done} of {all_} answers")
                )

    result = cli.run(work())
    line.end()
    cli.emit(result)
    cli.data(
        f"{result['version']}: BLEU {result['bleu']:.1f}, chrF {result['chrf']:.1f}, exact {result['exact']:.0%} "
        f"on {result['n']} pairs in {result['seconds']:.0f} s"
    )
    cli.data(f"signature: {result['signature']}")
    for note in result.get("notes", ()):
        cli.say(note)
