"""Which version answers."""

from __future__ import annotations

from finetune.endings import JUDGED
from store.words import BASE, Version
from tui import requests as ask
from tui.core import DeskError
from tui.flows.retraining import show_verdict
from tui.flows.stage import Stage
from tui.screens.dialog import Ask, Confirm
from tui.screens.history import HistoryScreen
from tui.screens.versions import VersionsScreen

WHY = "Why anyway? Your reason is saved in the log."


def name_of(version: Version, *, first: bool = False) -> str:
    """A version as a sentence names it; *first*: at its beginning."""
    return version if version != BASE else "The bare base" if first else "the bare base"


async def show_versions(stage: Stage, request: ask.ShowVersions) -> None:
    """The table of versions."""
    versions = stage.desk.versions
    rows = await versions.overview()
    await stage.open(VersionsScreen(rows, versions.details, versions.overview, request.compare))


async def show_history(stage: Stage, _: ask.ShowHistory) -> None:
    """How the versions came along, as a picture."""
    await stage.open(HistoryScreen(await stage.desk.versions.history()))


async def show_report(stage: Stage, request: ask.ShowReport) -> None:
    """How the run went that made a version."""
    version = request.version
    if version is None or version == BASE:
        raise DeskError("The base model was not made by a retraining, so there is no report on it.")
    run_id = stage.desk.versions.get(version).run_id
    if run_id is None or stage.desk.runs.get(run_id).state not in JUDGED:
        raise DeskError(f"There is no report on {version}: it was not checked on this desk.")
    await show_verdict(stage, ask.ShowVerdict(run_id))


async def activate(stage: Stage, request: ask.Activate) -> None:
    """Let a version answer; one that was rejected, or learned what was erased, needs a reason."""
    promotions, version = stage.desk.promotions, request.version
    title = f"Let {name_of(version)} answer?"
    if (why := promotions.needs_reason(version)) is not None:
        reason = await stage.open(Ask(title, f"{why}. {WHY}", "Activate", "Reason"))
        if reason is not None:
            await promotions.activate(version, reason)
    elif await stage.open(Confirm(title, _swap_words(stage, version), "Activate")):
        await promotions.activate(version)
    stage.store_changed()


async def roll_back(stage: Stage, _: ask.RollBack) -> None:
    """Let the version before the active one answer again."""
    promotions = stage.desk.promotions
    target = promotions.target
    if target is None:
        raise DeskError("There is no earlier version to go back to.")
    title = f"Roll back to {name_of(target)}?"
    if stage.desk.erasing.learned_by(target):
        text = f"{name_of(target)} learned something that has been erased. {WHY}"
        reason = await stage.open(Ask(title, text, "Roll back", "Reason"))
        if reason is not None:
            await promotions.go_back(reason)
    elif await stage.open(Confirm(title, _swap_words(stage, target), "Roll back")):
        await promotions.go_back()
    stage.store_changed()


async def try_unseen(stage: Stage, request: ask.TryUnseen) -> None:
    """Let a version answer unseen from now on; one that does so already stops."""
    shadow, version = stage.desk.shadow, request.version
    if shadow.version == version:
        shadow.turn_off()
        stage.say(f"{version} no longer answers unseen. What it said stays in its report.")
    else:
        shadow.turn_on(version)
        stage.say(f"{version} answers each question too, unseen, while an app is open. Its report shows what it said.")
    stage.store_changed()


def _swap_words(stage: Stage, version: Version) -> str:
    active = name_of(stage.desk.promotions.active, first=True)
    return f"{active} stops answering; {name_of(version)} answers from the next reply on."
