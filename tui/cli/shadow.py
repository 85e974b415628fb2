"""``deskloop versions shadow``: try a version on real questions, unseen."""

from __future__ import annotations

import click

from store.words import Version
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.typed import VERSION
from tui.core import OpenDesk
from tui.core.errors import DeskError
from tui.core.shadow_report import ShadowReport


@click.command()
@click.argument("version", type=VERSION, required=False)
@click.option("--off", is_flag=True, help="Stop it; what it said stays in its report.")
@click.option("--report", is_flag=True, help="Show where it differs from what was sent and corrected.")
@home_option
@json_option
@pass_cli
def shadow(cli: Cli, version: Version | None, off: bool, report: bool) -> None:
    """Let VERSION answer each question too, unseen, while an app is open. Without VERSION: which one does."""
    if off and (report or version is not None):
        raise click.UsageError("--off stops whichever version answers unseen; give it alone.")
    if report:
        _report(cli, version)
        return
    now = cli.read(lambda desk: _changed(desk, version, off))
    cli.emit({"shadow": now})
    if version is not None:
        cli.data(f"{version} answers each question too, unseen, while an app is open.")
        cli.say(f"`deskloop versions shadow {version} --report` shows what it said.")
    else:
        cli.data(f"{now} answers unseen." if now is not None else "No version answers unseen.")


def _changed(desk: OpenDesk, version: Version | None, off: bool) -> Version | None:
    if off:
        desk.shadow.turn_off()
    elif version is not None:
        desk.shadow.turn_on(version)
    return desk.shadow.version


def _report(cli: Cli, version: Version | None) -> None:
    async def read(desk: OpenDesk) -> ShadowReport:
        which = version or desk.shadow.version
        if which is None:
            raise DeskError("No version answers unseen. Name the one whose report you want.")
        return await desk.shadow.report(which)

    found = cli.do(read)
    cli.emit(found.to_dict())
    cli.data(found.sentence)
    for one in found.differences:
        answer = one.answer
        cli.data(f"\n{one.kind}: {answer.question}")
        cli.data(f"  {answer.sent_by} said: {answer.sent} ({answer.judgement or 'not judged'})")
        if answer.correction is not None:
            cli.data(f"  corrected to: {answer.correction}")
        cli.data(f"  {found.version} said: {answer.said}")
