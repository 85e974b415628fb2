"""``deskloop demo``: the loop on the sample desk in a temporary home, told step by step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from store.home import MODELS_VARIABLE, Home
from store.owned import mark_own, remove_own
from store.records import Pair, Run
from store.words import BASE
from tui.cli.chatting import exchange, reply_facts
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.cli.following import follow_run
from tui.core import DeskError, OpenDesk
from tui.core.reports import recall_of

WHO = "demo"
# Learning the whole sample desk takes about as long as a coffee break on 2 cores; a demo should not. So it learns the
# shortest answers, as few as leave the check enough held-out questions to judge by.
FEW_HELDOUT_SHARE = 0.4
ENOUGH_HELDOUT = 22
MAX_NEW_TOKENS = 64  # every answer of the sample is shorter; the bare base rambles on as long as it may


@click.command()
@click.option("--whole", is_flag=True, help="Train on the whole sample desk: takes longer, makes a better bot.")
@click.option("--keep", is_flag=True, help="Keep the temporary desk, and print its folder.")
@click.option("--recipe", "chosen", metavar="FILE", help="A .toml or .json file, or a recipe's name.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, help="Change one value of the recipe.")
@home_option
@json_option
@pass_cli
def demo(cli: Cli, whole: bool, keep: bool, chosen: str | None, changes: tuple[str, ...]) -> None:
    """Run the loop without a screen: ask, correct, retrain, check, ask, roll back, ask.

    On the sample desk, in a temporary home that shares the model of your desk (or of DESKLOOP_MODELS). Without
    --whole it trains on a part of the sample desk, to be over in a few minutes.
    """
    with _temporary_home(cli, keep) as home:
        promoted = cli.run(_Story(cli, home).run(whole, chosen, changes))
    if not promoted:
        raise click.exceptions.Exit(FAILED)


@contextmanager
def _temporary_home(cli: Cli, keep: bool) -> Iterator[Home]:
    """A fresh home that uses the models of the real one."""
    os.environ.setdefault(MODELS_VARIABLE, str(Home(Home.place(cli.home)).models))
    place = Path(tempfile.mkdtemp(prefix="deskloop-demo-"))
    mark_own(place, what="demo")
    folder = place / "home"
    try:
        yield Home.open(folder)
    finally:
        if keep:
            cli.say(f"The desk is kept. Look around with deskloop --home {folder}")
        else:
            with suppress(OSError):
                remove_own(place)


class _Story:
    """Tells the loop; every step is one JSON line with ``--json``."""

    def __init__(self, cli: Cli, home: Home) -> None:
        self._cli, self._home = cli, home

    async def run(self, whole: bool, chosen: str | None, changes: tuple[str, ...]) -> bool:
        """The whole story; returns whether the new version was promoted."""
        async with OpenDesk(self._home, operator=WHO) as desk:
            self._title("A desk for a small fictional shop.")
            await desk.bases.set_up(None, self._cli.say)
            pair = await self._load(desk, whole)

            self._title("A customer asks; the bare base answers.")
            reply_id = await self._ask(desk, pair.instruction)

            self._title("The operator corrects it.")
            desk.judgements.correct(reply_id, pair.output)
            self._cli.data(f"  correction: {pair.output}")
            self._step("correct", reply_id=reply_id, waiting=desk.judgements.waiting())

            self._title("Retraining, then the check. The chat could go on in the meantime.")
            run = await self._retrain(desk, chosen, changes)
            self._recall(run)
            if desk.promotions.active == BASE:
                if run.state not in ("held", "rejected") or run.candidate is None:
                    raise DeskError("The demo ends here, because the run made no version.")
                self._title(f"The check did not promote {run.candidate}; the operator uses it anyway.")
                await desk.promotions.activate(run.candidate, "demo")

            self._title("The same question again.")
            await desk.promotions.follow()
            await self._ask(desk, pair.instruction)

            self._title("Roll back and ask again: exactly the old answer.")
            await desk.promotions.go_back("demo")
            await self._ask(desk, pair.instruction)
            return run.state == "promoted"

    async def _load(self, desk: OpenDesk, whole: bool) -> Pair:
        """Load the sample desk; returns the pair whose question the customer will ask."""
        desk.settings.change("faithful", {"max_new_tokens": MAX_NEW_TOKENS})
        desk.settings.change("answer_from_corrections", "off")  # the story is what the versions say
        if not whole:
            desk.settings.change("heldout_share", FEW_HELDOUT_SHARE)
        await desk.importing.sample()
        answers: dict[str, list[Pair]] = {}
        for pair in desk.pairs.live():
            answers.setdefault(pair.output, []).append(pair)
        kept = list(answers) if whole else _few(answers)
        await desk.pairs.exclude([pair.id for answer in answers.keys() - set(kept) for pair in answers[answer]], "demo")
        train, heldout = (desk.pairs.count(split=side) for side in ("train", "heldout"))
        self._cli.data(f"  {train} pairs to learn from, {heldout} held out for the check")
        self._step("load", train=train, heldout=heldout)
        return next(pair for answer in kept for pair in answers[answer] if pair.split == "train")

    async def _ask(self, desk: OpenDesk, question: str) -> int:
        self._cli.data(f"  customer: {question}")
        self._cli.data("  bot: ", nl=False)
        turn = await exchange(self._cli, desk, question)
        facts = reply_facts(turn)
        self._cli.data(f"  ({facts['version']})")
        self._step("ask", question=question, **facts)
        return turn.id

    async def _retrain(self, desk: OpenDesk, chosen: str | None, changes: tuple[str, ...]) -> Run:
        run = await desk.runs.start(await desk.runs.preflight(desk.recipes.chosen(chosen, changes)))
        return await follow_run(self._cli, desk, run)

    def _recall(self, run: Run) -> None:
        """How the new version answers what it was taught."""
        recall = recall_of(run)
        if recall is not None:
            self._cli.data(f"  {run.candidate} {recall.words}; {recall.details}")
            self._step("recall", **recall.to_dict())

    def _title(self, sentence: str) -> None:
        (self._cli.say if self._cli.json else self._cli.data)(f"\n== {sentence}")

    def _step(self, step: str, **facts: Any) -> None:
        self._cli.emit({"step": step, **facts})


def _few(answers: dict[str, list[Pair]]) -> list[str]:
    """The shortest English answers that have :data:`ENOUGH_HELDOUT` held-out questions between them."""
    kept: list[str] = []
    heldout = 0
    for answer in sorted((answer for answer, pairs in answers.items() if pairs[0].lang == "en"), key=len):
        if heldout >= ENOUGH_HELDOUT:
            break
        kept.append(answer)
        heldout += sum(pair.split == "heldout" for pair in answers[answer])
    return kept
