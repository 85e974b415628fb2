"""``deskloop demo``: the loop on the sample desk in a temporary home, told step by step."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

import click

from store.home import Home
from store.records import Pair, Turn
from store.sample import load_sample
from tui.cli.chatting import exchange, reply_facts
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.cli.following import follow_run
from tui.core import DeskError, DeskService
from tui.core.recipes import recipe_from
from tui.core.reports import outcome
from tui.core.setup import set_up

WHO = "demo"
# Measured on 2 cores: the whole sample desk takes as long to learn as a coffee break; a demo should not.
SHORT_ANSWERS = 12
SHORT_HELDOUT_SHARE = 0.4  # 12 answers in 5 phrasings: enough held-out pairs for the check to judge by


@click.command()
@click.option("--whole", is_flag=True, help="Train on the whole sample desk (longer, a better bot).")
@click.option("--keep", is_flag=True, help="Keep the temporary home and name it, to look around in it.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="Change one value of the recipe.")
@home_option
@json_option
@pass_cli
def demo(cli: Cli, whole: bool, keep: bool, changes: tuple[str, ...]) -> None:
    """Run the whole loop without a screen: ask, correct, retrain, check, ask, roll back, ask.

    On the sample desk, in a temporary home; the model is shared with your desk (or DESKLOOP_MODELS). Without --whole
    it trains on a part of the sample desk, so that it is over in a few minutes.
    """
    with _temporary_home(cli, keep) as home:
        cli.run(_tell(cli, home, whole, changes))


@contextmanager
def _temporary_home(cli: Cli, keep: bool) -> Iterator[Home]:
    """A fresh home that uses the real one's prepared models."""
    os.environ.setdefault("DESKLOOP_MODELS", str(cli.open_home().models))
    folder = tempfile.mkdtemp(prefix="deskloop-demo-")
    try:
        yield Home.open(Path(folder))
    finally:
        if keep:
            cli.say(f"Kept: deskloop --home {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _tell(cli: Cli, home: Home, whole: bool, changes: tuple[str, ...]) -> None:
    async with DeskService(home, operator=WHO) as service:
        cli.say("1. A desk for the sample shop.")
        await set_up(service.desk, None, WHO, cli.say)
        pairs = _load(service, whole)
        cli.say(f"   {service.desk.pairs.count(split='train')} pairs to learn from, "
                f"{service.desk.pairs.count(split='heldout')} held out to check with.")
        question, wanted = pairs.instruction, pairs.output
