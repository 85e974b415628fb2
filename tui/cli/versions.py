"""``deskloop versions``: what answers, what could answer, and going back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import click

from finetune.gate.report import GateReport
from store.records import Promotion
from store.words import Version
from store.writing import STDOUT
from tui.cli.context import FAILED, Cli, home_option, json_option, pass_cli
from tui.cli.shadow import shadow
from tui.cli.typed import TYPED, VERSION
from tui.core import Notice, OpenDesk
from tui.core.adapters import Overview


@click.group(invoke_without_command=True)
@home_option
@json_option
@click.pass_context
def versions(ctx: click.Context) -> None:
    """List, show, try, activate, roll back, verify and export adapter versions."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_versions)


@versions.command("list")
@home_option
@json_option
@pass_cli
def list_versions(cli: Cli) -> None:
    """List every version with its numbers; the active one is marked."""
    rows = cli.do(lambda desk: desk.versions.overview())
    for row in rows:
        cli.emit(row.to_dict())
        cli.data(_line(row))
    if len(rows) == 1:
        cli.say("The bare base answers. `deskloop retrain` makes the first version.")


versions.add_command(shadow)


def _line(row: Overview) -> str:
    mark = "*" if row.active else " "
    bleu = "" if row.bleu is None else f"BLEU {row.bleu:.1f}"
    recall = "" if row.recall is None else f"recall {row.recall.taught:,} of {row.recall.asked:,}"
    pairs = "" if row.pairs is None else f"{row.pairs} pairs"
    parts = [
        row.method,
        pairs,
        bleu,
        recall,
        row.standing,
        row.created_at or "",
        row.promoted_by or "",
    ]
    return f"{mark} {row.version:<6} " + "  ".join(part for part in parts if part)


@versions.command()
@click.argument("version", type=VERSION)
@home_option
@json_option
@pass_cli
def show(cli: Cli, version: Version) -> None:
    """Show the card of VERSION: recipe, data, numbers, files."""
    facts, report = cli.read(lambda desk: (desk.versions.card(version), desk.versions.report(version)))
    cli.emit(facts)
    for key, value in facts.items():
        cli.data(f"{key}: {value}")
    if report is not None and report.recall is not None:
        cli.data(f"{version} {report.recall.words}; {report.recall.details}.")
    for measured in (report.drift, report.exposure) if report is not None else ():
        if measured is not None:
            cli.data(measured.sentence)


@versions.command()
@click.argument("version", type=VERSION)
@click.option(
    "--reason",
    type=TYPED,
    metavar="TEXT",
    help="The reason; required for a version the check rejected. -: standard input.",
)
@click.option("--no-probe", is_flag=True, help="Do not load the model to test the version.")
@home_option
@json_option
@pass_cli
def activate(cli: Cli, version: Version, reason: str | None, no_probe: bool) -> None:
    """Make VERSION (vN or base) the one that answers."""
    _change(cli, lambda desk: desk.promotions.activate(version, reason), probe=not no_probe)


@versions.command()
@click.option("--reason", type=TYPED, metavar="TEXT", help="Why. -: standard input.")
@click.option("--no-probe", is_flag=True, help="Do not load the model to test the version.")
@home_option
@json_option
@pass_cli
def rollback(cli: Cli, reason: str | None, no_probe: bool) -> None:
    """Go back to the version that answered before the active one."""
    _change(cli, lambda desk: desk.promotions.go_back(reason), probe=not no_probe)


def _change(cli: Cli, write: Callable[[OpenDesk], Awaitable[Promotion]], *, probe: bool) -> None:
    """Write a promotion, prove it in an engine of our own, and say what answers now."""

    async def work() -> tuple[Version, Version]:
        async with cli.desk() as desk:
            desk.changes.listen(lambda change: cli.say(change.sentence) if isinstance(change, Notice) else None)
            wanted = (await write(desk)).version
            if probe:
                await _prove(cli, desk)
            return wanted, desk.promotions.active

    wanted, active = asyncio.run(work())
    cli.emit({"version": active, "wanted": wanted})
    if wanted != active:
        cli.fail(f"{wanted} did not load correctly; {active} answers.")
    cli.data(f"{active} answers now.")


async def _prove(cli: Cli, desk: OpenDesk) -> None:
    cli.say("Loading the model to test it...")
    await desk.engine.start()
    if (state := desk.engine.state).name not in ("ready", "busy"):
        cli.say(f"Not tested: {state.sentence} The files are intact; the next start will test it.")


@versions.command()
@click.argument("version", type=VERSION, required=False)
@home_option
@json_option
@pass_cli
def verify(cli: Cli, version: Version | None) -> None:
    """Check the files of VERSION, or of every version, against their manifests."""
    findings = cli.do(lambda desk: desk.versions.verify(version))
    for finding in findings:
        cli.emit({"version": finding.version, "ok": finding.sentence is None, "problem": finding.sentence})
        cli.data(f"{finding.version}: {finding.sentence or 'as published'}")
    if any(finding.sentence for finding in findings):
        cli.fail("Some versions are damaged and will not be activated. The others are fine.", code=FAILED)


@versions.command()
@click.argument("version", type=VERSION)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--merged", is_flag=True, help="Export base and version as one complete model, after a check.")
@home_option
@json_option
@pass_cli
def export(cli: Cli, version: Version, folder: Path, merged: bool) -> None:
    """Copy VERSION, verified, into the new FOLDER. Nothing is ever overwritten."""
    if str(folder) == STDOUT:
        raise click.UsageError("Standard output takes one file, and a version is a folder. Name a new folder.")
    if merged:
        _export_merged(cli, version, folder.expanduser().absolute())
        return
    files = cli.do(lambda desk: desk.versions.export(version, folder))
    cli.emit({"version": version, "folder": str(folder), "files": files})
    cli.data(f"{version} copied to {folder}: {', '.join(files)}")


def _export_merged(cli: Cli, version: Version, folder: Path) -> None:
    async def work() -> GateReport:
        async with cli.desk() as desk:
            await desk.promotions.check(version)
            cli.say("Merging, then answering the held-out questions with both...")
            return await desk.versions.export_merged(version, folder)

    report = asyncio.run(work())
    cli.emit({"version": version, "folder": str(folder), "verdict": report.verdict, "bleu": asdict(report.bleu)})
    cli.data(f"{version} and its base are one model in {folder}. {report.sentence}")
