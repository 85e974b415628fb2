"""``deskloop retrain``: learn what was corrected, check it, and let it answer if it is not worse."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from finetune.preflight import Preflight
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.cli.following import exit_code, follow_run
from tui.cli.streams import is_terminal


@click.command()
@click.option("--recipe", "chosen", metavar="FILE", help="A .toml or .json file, or a recipe's name.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="Change one value of the recipe.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
@pass_cli
def retrain(cli: Cli, chosen: str | None, changes: tuple[str, ...], yes: bool) -> None:
    """Train a new version on what was corrected, check it, and let it answer if it is not worse.

    Exit codes: 0 promoted, 3 rejected, 4 held, 1 failed or cancelled, 2 wrong usage.
    """

    async def work() -> int:
        async with cli.desk() as desk:
            recipe = desk.recipes.chosen(chosen, changes)
            preflight = await desk.runs.preflight(recipe)
            for line in preflight_lines(preflight):
                cli.say(line)
            cli.emit({"event": "preflight", **asdict(preflight)})
            if preflight.problems:
                return FAILED
            if not yes and not _agreed(cli):
                return FAILED
            return exit_code(await follow_run(cli, desk, await desk.runs.start(preflight)))

    raise click.exceptions.Exit(cli.run(work()))


def _agreed(cli: Cli) -> bool:
    """Ask on a terminal; without one nobody can answer, so it is a no that says so."""
    if not is_terminal(sys.stdin):
        raise click.UsageError("There is nobody to ask. Add --yes to start the retraining.")
    return click.confirm("Start the retraining?", default=True, err=True)


def preflight_lines(preflight: Preflight) -> list[str]:
    """What a run would do, for people."""
    lines = [
        f"{preflight.pairs} pairs to learn from, {preflight.new_corrections} of them new corrections; "
        f"{preflight.heldout} held out for the check; continuing from {preflight.parent}; {preflight.time.words}."
    ]
    if preflight.sight is not None:
        lines.append(f"{preflight.sight.sentence} `deskloop pairs hold-out` holds out more.")
    return [*lines, *preflight.warnings, *preflight.problems]
