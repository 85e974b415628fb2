"""``deskloop bisect``: which pairs taught the bot a wrong answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from store.words import Version
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.progress import Line
from tui.cli.typed import TYPED, VERSION
from tui.core import OpenDesk
from tui.core.nearest import SHOWN, Near, Said, why


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command's options."""

    reply_id: int | None
    question: str | None
    answer: str | None
    version: Version | None
    gradients: bool
    limit: int

    def check(self) -> None:
        """Raises :class:`click.UsageError` unless exactly one thing that was said is named."""
        texts = (self.question, self.answer)
        if (None in texts) if self.reply_id is None else (texts != (None, None) or self.version is not None):
            raise click.UsageError("Name a reply by its number, or give both --question and --answer.")

    def said(self, desk: OpenDesk) -> Said:
        """What was said, and by whom."""
        if self.reply_id is not None:
            return desk.bisect.said(self.reply_id)
        return Said(self.version or desk.promotions.active, self.question or "", self.answer or "")


@click.command()
@click.argument("reply_id", type=int, required=False)
@click.option("--question", type=TYPED, metavar="TEXT", help="Instead of a reply: what was asked (-: standard input).")
@click.option("--answer", type=TYPED, metavar="TEXT", help="... and the wrong answer.")
@click.option("--version", type=VERSION, metavar="vN", help="... and which version said it; default: the active one.")
@click.option("--gradients", is_flag=True, help="Compare gradients too. Takes up to a minute.")
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="Show at most this many pairs.")
@home_option
@json_option
@pass_cli
def bisect(cli: Cli, /, **options: Any) -> None:
    """Find the pairs that most likely taught the bot the reply REPLY_ID, or any question and answer.

    Without --gradients the pairs are compared by their words, at once. Nothing is changed.
    """
    wanted = Wanted(**options)
    wanted.check()
    line = Line(cli)

    async def work(desk: OpenDesk) -> tuple[Version, list[Near]]:
        said = wanted.said(desk)
        found = await desk.bisect.shortlist(said)
        if wanted.gradients:
            cli.say(f"Loading {said.version} to compare gradients...")
            found = await desk.bisect.gradients(said, found, lambda done: line.write(f"{done} of {len(found)} pairs"))
        return said.version, found[: wanted.limit]

    speaker, found = cli.do(work)
    line.end()
    for near in found:
        cli.emit(near.to_dict())
        cli.data(f"{near.row.pair.id:>6}  {why(near, speaker)}")
        cli.data(f"        {_short(near.row.pair.instruction)}  ->  {_short(near.row.pair.output)}")


def _short(text: str) -> str:
    return " ".join(text.split())[:80]
