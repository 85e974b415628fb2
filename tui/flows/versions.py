"""Which version answers."""

from __future__ import annotations

from finetune.endings import JUDGED
from store.words import BASE, Version
from tui.core import DeskError
from tui.core.adapters import overview
from tui.core.history import history
from tui.core.reports import version_details
from tui.flows.retraining import show_verdict
from tui.flows.stage import Stage
from tui.screens.dialog import Ask, Confirm
from tui.screens.history import HistoryScreen
from tui.screens.versions import VersionsScreen


def name_of(version: Version, *, first: bool = False) -> str:
    """A version as a sentence names it; *first*: at its beginning."""
    return version if version != BASE else "The bare base" if first else "the bare base"


async def show_versions(stage: Stage) -> None:
    """The table of versions."""
    service = stage.service
    rows = await service.reader.read(overview)
    await stage.show(VersionsScreen(rows, lambda name: version_details(service.desk, name)))


async def show_history(stage: Stage) -> None:
    """How the versions came along, as a picture."""
    await stage.show(HistoryScreen(await stage.service.reader.read(history)))


async def show_report(stage: Stage) -> None:
    """How the run went that made the version marked in the table."""
    screen = stage.app.screen
    version = screen.marked if isinstance(screen, VersionsScreen) else stage.service.active
    if version is None or version == BASE:
        raise DeskError("The bare base was not made by a retraining, so there is no report on it.")
    run_id = stage.service.desk.versions.get(version).run_id
    if run_id is None or stage.service.desk.runs.get(run_id).state not in JUDGED:
        raise DeskError(f"There is no report on {version}: no check of it was finished on this desk.")
    await show_verdict(stage, run_id)


async def activate(stage: Stage, version: Version) -> None:
    """Let *version* answer; one that was rejected needs a reason."""
    service = stage.service
    row = None if version == BASE else service.desk.versions.get(version)
    run = None if row is None or row.run_id is None else service.desk.runs.get(row.run_id)
    name, reason = name_of(version), None
    erased = version in service.desk.erasing.tainted()
    if erased or (run is not None and run.verdict == "reject"):
        what = "It learned something that was erased since" if erased else "The check rejected it"
        text = f"{what}. Why all the same? Your reason is kept in the log."
        reason = await stage.show(Ask(f"Let {name} answer?", text, "Activate", "Reason"))
        agreed = reason is not None
    else:
        text = f"{name_of(service.active, first=True)} stops answering; {name} answers from the next reply on."
        agreed = bool(await stage.show(Confirm(f"Let {name} answer?", text, "Activate")))
    if agreed:
        await service.activate(version, reason)
    await _refresh(stage)


async def roll_back(stage: Stage) -> None:
    """Let the version before the active one answer again."""
    service = stage.service
    target = service.desk.promotions.rollback_target()
    if target is None:
        raise DeskError("There is no earlier version to go back to.")
    name = name_of(target)
    text = f"{name_of(service.active, first=True)} stops answering; {name} answers from the next reply on."
    if target in service.desk.erasing.tainted():
        text = f"{name} learned something that was erased since. Why all the same? Your reason is kept in the log."
        reason = await stage.show(Ask(f"Roll back to {name}?", text, "Roll back", "Reason"))
        if reason is not None:
            await service.rollback(reason)
    elif await stage.show(Confirm(f"Roll back to {name}?", text, "Roll back")):
        await service.rollback()
    await _refresh(stage)


async def _refresh(stage: Stage) -> None:
    rows = await stage.service.reader.read(overview)
    if isinstance(stage.app.screen, VersionsScreen):
        stage.app.screen.show(rows)
    stage.chat.follows.refresh()
