"""``deskloop runs``: what was trained, and what to do with a run that was interrupted or failed."""

from __future__ import annotations

from dataclasses import asdict

import click

from finetune.endings import ending_of
from finetune.events import Done, Recorded, encode, sentence
from finetune.gate.report import report_of
from store.records import Run
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.following import exit_code, follow_run
from tui.core import DeskError, OpenDesk
from tui.core.reports import Change, lost


@click.group(invoke_without_command=True)
@home_option
@json_option
@click.pass_context
def runs(ctx: click.Context) -> None:
    """List, show, resume and discard runs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs)


@runs.command("list")
@home_option
@json_option
@pass_cli
def list_runs(cli: Cli) -> None:
    """List every run, newest first."""
    rows = cli.read(lambda desk: desk.runs.list())
    for run in rows:
        cli.emit(asdict(run))
        cli.data(f"{run.id:>5}  {run.state:<12} {run.candidate or '':<6} {run.verdict or '':<13} {run.created_at}")
    if not rows:
        cli.say("No run yet. `deskloop retrain` starts one.")


@runs.command()
@click.argument("number", type=int)
@home_option
@json_option
@pass_cli
def show(cli: Cli, number: int) -> None:
    """Show run NUMBER: recipe, verdict, what failed, and its events."""

    def of(desk: OpenDesk) -> tuple[Run, list[Recorded]]:
        return desk.runs.get(number), desk.runs.stored_events(number)

    run, entries = cli.read(of)
    facts = asdict(run)
    cli.emit({**facts, "events": [_as_json(entry) for entry in entries]})
    for key, value in facts.items():
        cli.data(f"{key}: {value}")
    for entry in entries:
        words = ending_of(run).sentence if isinstance(entry.event, Done) else sentence(entry.event)
        cli.data(f"{entry.at}  {words}")


@runs.command()
@click.argument("number", type=int)
@home_option
@json_option
@pass_cli
def report(cli: Cli, number: int) -> None:
    """Show what the check of run NUMBER found, and the answers that got worse, the worst first."""
    run = cli.read(lambda desk: desk.runs.get(number))
    found = report_of(run)
    if found is None:
        raise DeskError(f"Run {number} has no report: its version was not checked.")
    worse = lost(cli.do(lambda desk: desk.reports.changes(number)))
    cli.emit(
        {"run": number, "version": run.candidate, **found.to_dict(), "lost_answers": [_lost(one) for one in worse]}
    )
    cli.data(f"Run {number}: {ending_of(run).sentence}")
    cli.data(found.sentence)
    for one in worse:
        cli.data(f"\n▼ {one.difference:+.1f} chrF  {_line(one.question)}  (pair {one.answer.pair_id})")
        said = (("wanted", one.answer.target), (run.parent, one.answer.before), (run.candidate, one.answer.after))
        for who, text in said:
            cli.data(f"  {who}: {_line(text)}")


def _lost(change: Change) -> dict[str, object]:
    answer = change.answer
    return {
        "pair": answer.pair_id,
        "question": change.question,
        "target": answer.target,
        "before": answer.before,
        "after": answer.after,
        "chrf_before": round(change.chrf_before, 1),
        "chrf_after": round(change.chrf_after, 1),
    }


def _line(text: str) -> str:
    return " ".join(text.split())


def _as_json(entry: Recorded) -> dict[str, object]:
    kind, body = encode(entry.event)
    return {"id": entry.id, "run_id": entry.run_id, "at": entry.at, "kind": kind, "body": body}


@runs.command()
@click.argument("number", type=int)
@home_option
@json_option
@pass_cli
def resume(cli: Cli, number: int) -> None:
    """Go on with the interrupted or failed run NUMBER from its last checkpoint."""

    async def work() -> int:
        async with cli.desk() as desk:
            run = await desk.runs.resume(number)
            return exit_code(await follow_run(cli, desk, run))

    raise click.exceptions.Exit(cli.run(work()))


@runs.command()
@click.argument("number", type=int)
@home_option
@json_option
@pass_cli
def discard(cli: Cli, number: int) -> None:
    """Give the interrupted or failed run NUMBER up and remove its files."""
    cli.read(lambda desk: desk.runs.discard(number))
    cli.emit({"run": number, "state": "cancelled"})
    cli.data(f"Run {number} is discarded. Its pairs will be used by the next retraining.")
