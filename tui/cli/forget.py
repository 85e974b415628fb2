"""``deskloop forget``: a person's words out of the desk, for good."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from store.erasing import Plan, Subject
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.following import exit_code, follow_run
from tui.cli.retrain import preflight_lines
from tui.cli.streams import is_terminal
from tui.cli.typed import TYPED
from tui.core import DeskError, DeskService
from tui.core.erasing import FROM_THE_BASE, plan, removable, remove_versions
from tui.core.erasing import forget as erase
from tui.core.erasing_words import done_lines, plan_lines
from tui.core.recipes import recipe_from

NUMBER = click.IntRange(1, 2**62)


@click.command()
@click.option("--customer", type=TYPED, metavar="X", help="Every conversation of customer X, and what came of it.")
@click.option("--conversation", type=NUMBER, metavar="N", help="Conversation N, and what came of it.")
@click.option("--pair", type=NUMBER, metavar="N", help="Pair N, its earlier texts, and the exchange it came of.")
@click.option("--text", type=TYPED, metavar="T", help="The text T, wherever it is, also inside longer words.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--finish", is_flag=True, help="Finish an erasure that was cut off.")
@click.option("--retrain", is_flag=True, help="Afterwards retrain from the base, if a version learned it.")
@click.option(
    "--remove-versions",
    "remove",
    is_flag=True,
    help="Remove versions that learned what was erased; not the active one.",
)
@home_option
@json_option
@pass_cli
def forget(
    cli: Cli,
    customer: str | None,
    conversation: int | None,
    pair: int | None,
    text: str | None,
    yes: bool,
    finish: bool,
    retrain: bool,
    remove: bool,
) -> None:
    """Erase what a person said: from conversations, pairs, answers, caches, indexes, checkpoints, logs and free pages.

    First it says what it will do. --customer - and --text - read standard input, so that no list of processes shows
    it. Nothing of it is kept, but that, when, by whom and in how many places something was erased.
    """
    subjects = list(_named(customer, conversation, pair, text))
    if len(subjects) > 1 or (not subjects and not (finish or remove or retrain)):
        raise click.UsageError(
            "Name one of --customer, --conversation, --pair and --text; or --finish, --retrain or --remove-versions."
        )

    async def work() -> int:
        async with cli.service() as service:
            if finish or service.desk.erasing.unfinished():
                service.desk.erasing.finish()
                cli.emit({"event": "finished"})
                cli.say("The database's files hold nothing any more of what was erased.")
            for subject in subjects:
                if not _forgotten(cli, service, subject, yes):
                    return 1
            code = await _retrained(cli, service) if retrain else 0
            if remove:
                _removed(cli, service, yes)
            return code

    raise click.exceptions.Exit(cli.run(work()))


def _named(customer: str | None, conversation: int | None, pair: int | None, text: str | None) -> Iterator[Subject]:
    if customer is not None:
        yield Subject.of_customer(customer)
    if conversation is not None:
        yield Subject("conversation", number=conversation)
    if pair is not None:
        yield Subject("pair", number=pair)
    if text is not None:
        yield Subject.of_text(text)


def _forgotten(cli: Cli, service: DeskService, subject: Subject, yes: bool) -> bool:
    found = plan(service.desk, subject)
    cli.emit({"event": "plan", "found": found.found, **_plain(found)})
    if not found.found:
        cli.say("Nothing of it is in this desk. Nothing was changed.")
        return True
    for line in plan_lines(found, service.active):
        cli.say(line)
    if not _agreed(yes, "Erase it, for good?"):
        return False
    done = erase(service.desk, subject, service.who)
    cli.emit({"event": "erased", **asdict(done)})
    for line in done_lines(done):
        cli.say(line)
    if subject.kind in ("customer", "conversation"):
        cli.say("What others said of them stays: `deskloop forget --text -` takes a name out wherever it is.")
    if done.active:
        cli.say("`deskloop forget --retrain` retrains from the base now.")
    if done.removable:
        cli.say("`deskloop forget --remove-versions` removes the versions that learned it and don't answer.")
    return True


async def _retrained(cli: Cli, service: DeskService) -> int:
    """Replace an active version that learned something erased."""
    if service.active not in service.desk.erasing.tainted():
        cli.say("The version that answers has learned nothing that was erased. Nothing needs to be retrained.")
        return 0
    recipe = recipe_from(service.desk, None, [f"{name}={value}" for name, value in FROM_THE_BASE.items()])
    preflight = await service.preflight(recipe)
    for line in preflight_lines(preflight):
        cli.say(line)
    if preflight.problems:
        return 1
    return exit_code(await follow_run(cli, service, await service.run_desk.start(preflight)))


def _removed(cli: Cli, service: DeskService, yes: bool) -> None:
    names = removable(service.desk)
    if not names:
        cli.emit({"event": "removed", "versions": []})
        cli.say("There is no version to remove: none that learned something erased, but the one that answers.")
        return
    cli.say(f"The files of {', '.join(names)} are removed, for good. What is known of them stays.")
    if not _agreed(yes, "Remove them?"):
        raise DeskError("Nothing was removed.")
    cli.emit({"event": "removed", "versions": remove_versions(service.desk, service.who)})
    cli.say(f"Removed: {', '.join(names)}.")


def _agreed(yes: bool, question: str) -> bool:
    """Ask on a terminal; without one nobody can answer, so it is a no that says so."""
    if yes:
        return True
    if not is_terminal(sys.stdin):
        raise click.UsageError("Nothing was changed: nobody is here to ask. Add --yes to go on.")
    return click.confirm(question, default=False, err=True)


def _plain(found: Plan) -> dict[str, Any]:
    return {
        "counts": found.counts,
        "versions": found.versions,
        "runs": found.runs,
        "unreached": [str(path) for path in found.unreached],
    }
