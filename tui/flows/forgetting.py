"""Erasing a person: what will be done is shown, then done, and what is left is offered."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from store.words import Version
from tui import requests as ask
from tui.core.erasing_words import done_lines, plan_lines
from tui.flows.stage import Stage
from tui.messages import PairsChanged
from tui.screens.dialog import Confirm, Tell, Wait
from tui.screens.forget import ForgetDialog

Done = TypeVar("Done")


async def forget(stage: Stage, request: ask.Forget) -> None:
    """Ask what is to be erased, and show what will be done; then do it."""
    subject = await stage.open(_dialog(request))
    if subject is None:
        return
    desk = stage.desk
    found = await desk.erasing.plan(subject)
    if not found.found:
        stage.say("This desk does not contain it. Nothing was changed.")
        return
    lines = "\n".join(plan_lines(found, desk.promotions.active))
    if not await stage.open(Confirm("Erase it for good?", lines, "Erase", careful=True)):
        return
    done = await _waiting(stage, "Erasing", desk.erasing.forget(subject))
    stage.host.broadcast(PairsChanged())
    stage.store_changed()
    await stage.open(Tell("Erased", *done_lines(done)))
    if done.removable:
        await _offer_removal(stage, done.removable)
    if done.active is not None:
        await _offer_retraining(stage, done.active)


def _dialog(request: ask.Forget) -> ForgetDialog:
    return ForgetDialog() if request.number is None else ForgetDialog(request.kind, str(request.number))


async def _waiting(stage: Stage, title: str, work: Awaitable[Done]) -> Done:
    """*work* beside the event loop, with a word that it is being done."""
    wait = Wait(title)
    stage.app.push_screen(wait)
    try:
        return await work
    finally:
        wait.done()


async def _offer_removal(stage: Stage, names: list[Version]) -> None:
    text = f"The files of {', '.join(names)}, which learned it and are not active, are removed for good."
    if await stage.open(Confirm("Remove these versions?", text, "Remove", "Keep", careful=True)):
        removed = await _waiting(stage, "Removing", stage.desk.erasing.remove_versions())
        stage.say(f"Removed: {', '.join(removed)}.")


async def _offer_retraining(stage: Stage, active: Version) -> None:
    """A version from the base, in the place of the one that learned it."""
    desk = stage.desk
    text = f"{active} is active and learned it. A retraining from the base replaces it, if it passes the check."
    if not await stage.open(Confirm("Retrain from the base?", text, "Retrain", "Later")):
        return
    await desk.runs.start(await desk.runs.preflight(desk.recipes.from_the_base()))
