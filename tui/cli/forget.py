"""``deskloop forget``: a person's words out of the desk, for good."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.following import exit_code, follow_run
from tui.cli.retrain import preflight_lines
from tui.cli.streams import is_terminal
from tui.cli.typed import TYPED
from tui.core import DeskError, OpenDesk
from tui.core.erasing import Plan, Subject
from tui.core.erasing_words import done_lines, plan_lines

NUMBER = click.IntRange(1, 2**62)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command's options. At most one of the first four names who or what is erased."""

    customer: str | None
    conversation: int | None
    pair: int | None
    text: str | None
    yes: bool
    finish: bool
    retrain: bool
    remove: bool

    def subjects(self) -> Iterator[Subject]:
        """Whatever is named."""
        if self.customer is not None:
            yield Subject.of_customer(self.customer)
        if self.conversation is not None:
            yield Subject("conversation", number=self.conversation)
        if self.pair is not None:
            yield Subject("pair", number=self.pair)
        if self.text is not None:
            yield Subject.of_text(self.text)


@click.command()
@click.option("--customer", type=TYPED, metavar="X", help="Every conversation of customer X, and its pairs.")
@click.option("--conversation", type=NUMBER, metavar="N", help="Conversation N, and its pairs.")
@click.option("--pair", type=NUMBER, metavar="N", help="Pair N, its earlier texts, and the exchange it comes from.")
@click.option("--text", type=TYPED, metavar="T", help="The text T, everywhere, also inside longer words.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--finish", is_flag=True, help="Finish an erasure that was interrupted.")
@click.option("--retrain", is_flag=True, help="Then retrain from the base, if a version learned it.")
@click.option(
    "--remove-versions",
    "remove",
    is_flag=True,
    help="Remove versions that learned what was erased; not the active one.",
)
@home_option
@json_option
@pass_cli
def forget(cli: Cli, /, **options: Any) -> None:
    """Erase what a person said: from conversations, pairs, answers, caches, indexes, checkpoints, logs and free pages.

    First it says what it will do. --customer - and --text - read standard input, so that no list of processes shows
    it. Nothing of it is kept, but that, when, by whom and in how many places something was erased.
    """
    wanted = Wanted(**options)
    subjects = list(wanted.subjects())
    if len(subjects) > 1 or (not subjects and not (wanted.finish or wanted.retrain or wanted.remove)):
        raise click.UsageError(
            "Name one of --customer, --conversation, --pair and --text; or --finish, --retrain or --remove-versions."
        )

    async def work(desk: OpenDesk) -> int:
        if await desk.erasing.finish() or wanted.finish:
            cli.emit({"event": "finished"})
            cli.say("The database's files no longer contain anything that was erased.")
        for subject in subjects:
            if not await _forgotten(cli, desk, subject, wanted.yes):
                return 1
        code = await _retrained(cli, desk) if wanted.retrain else 0
        if wanted.remove:
            await _removed(cli, desk, wanted.yes)
        return code

    raise click.exceptions.Exit(cli.do(work))


async def _forgotten(cli: Cli, desk: OpenDesk, subject: Subject, yes: bool) -> bool:
    found = await desk.erasing.plan(subject)
    cli.emit({"event": "plan", "found": found.found, **_plain(found)})
    if not found.found:
        cli.say("This desk does not contain it. Nothing was changed.")
        return True
    for line in plan_lines(found, desk.promotions.active):
        cli.say(line)
    if not _agreed(yes, "Erase it for good?"):
        return False
    done = await desk.erasing.forget(subject)
    cli.emit({"event": "erased", **asdict(done)})
    for line in done_lines(done):
        cli.say(line)
    if subject.kind in ("customer", "conversation"):
        cli.say("What others said about them stays: `deskloop forget --text -` erases a name everywhere.")
    if done.active:
        cli.say("`deskloop forget --retrain` retrains from the base now.")
    if done.removable:
        cli.say("`deskloop forget --remove-versions` removes the versions that learned it and don't answer.")
    return True


async def _retrained(cli: Cli, desk: OpenDesk) -> int:
    """Replace an active version that learned something erased."""
    if not desk.erasing.learned_by(desk.promotions.active):
        cli.say("The active version learned nothing that was erased. No retraining is needed.")
        return 0
    recipe = desk.recipes.from_the_base()
    preflight = await desk.runs.preflight(recipe)
    for line in preflight_lines(preflight):
        cli.say(line)
    if preflight.problems:
        return 1
    return exit_code(await follow_run(cli, desk, await desk.runs.start(preflight)))


async def _removed(cli: Cli, desk: OpenDesk, yes: bool) -> None:
    names = desk.erasing.removable()
    if not names:
        cli.emit({"event": "removed", "versions": []})
        cli.say("There is no version to remove: only the active one learned something erased.")
        return
    cli.say(f"The files of {', '.join(names)} are removed for good. Their records stay.")
    if not _agreed(yes, "Remove them?"):
        raise DeskError("Nothing was removed.")
    cli.emit({"event": "removed", "versions": await desk.erasing.remove_versions()})
    cli.say(f"Removed: {', '.join(names)}.")


def _agreed(yes: bool, question: str) -> bool:
    """Ask on a terminal; without one nobody can answer, so it is a no that says so."""
    if yes:
        return True
    if not is_terminal(sys.stdin):
        raise click.UsageError("Nothing was changed: there is nobody to ask. Add --yes to go on.")
    return click.confirm(question, default=False, err=True)


def _plain(found: Plan) -> dict[str, Any]:
    return {
        "counts": found.counts,
        "versions": found.versions,
        "runs": found.runs,
        "unreached": [str(path) for path in found.unreached],
    }
