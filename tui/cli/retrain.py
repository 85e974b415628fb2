"""``deskloop retrain`` and ``deskloop evaluate``: the two commands that measure."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from finetune.judge import evaluate_file
from finetune.preflight import Preflight
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.cli.following import exit_code, follow_run
from tui.core import DeskError
from tui.core.recipes import recipe_from


@click.command()
@click.option("--recipe", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML or JSON.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="Change one value of the recipe.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--unload-engine", is_flag=True, hidden=True)
@home_option
@json_option
@pass_cli
def retrain(cli: Cli, file: Path | None, changes: tuple[str, ...], yes: bool, unload_engine: bool) -> None:
    """Train a new version on what was corrected, check it, and let it answer if it is not worse.

    Exit codes: 0 promoted, 3 rejected, 4 inconclusive and held, 1 failed or cancelled, 2 wrong usage.
    """
    recipe = recipe_from(file, changes)

    async def work() -> int:
        async with cli.service() as service:
            _show(cli, service.preflight(recipe))
            if not yes:
                _confirm(cli)
            run = await service.start_run(recipe)
            return exit_code(await follow_run(cli, service, run))

    raise click.exceptions.Exit(cli.run(work()))
