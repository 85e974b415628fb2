"""Erasing a person: what will be done is shown, then done, and what is left is offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from store.desk import Desk
from store.erasing import Subject
from store.words import Version
from tui.core import erasing as core
from tui.core.erasing_words import done_lines, plan_lines
from tui.core.recipes import recipe_from
from tui.core.service import aside
from tui.flows.stage import Stage
from tui.screens.chat import ChatScreen
from tui.screens.dialog import Confirm, Tell, Wait
from tui.screens.forget import ForgetDialog
from tui.screens.pairs import PairsScreen

Done = TypeVar("Done")


async def forget(stage: Stage) -> None:
    """Ask what is to be erased: the highlighted pair or conversation stands there to begin with."""
    subject: Subject | None = await stage.show(_dialog(stage))
    if subject is None:
        return
    service, who = stage.service, stage.service.who
    found = await service.reader.read(lambda desk: core.plan(desk, subject))
    if not found.found:
        stage.say("Nothing of it is in this desk. Nothing was changed.")
        return
    lines = "\n".join(plan_lines(found, service.active))
    if not await stage.show(Confirm("Erase it, for good?", lines, "Erase", careful=True)):
        return
    done = await _waiting(stage, "Erasing", lambda desk: core.forget(desk, subject, who))
    if isinstance(stage.app.screen, PairsScreen):
        stage.app.screen.forget_marks()
        await stage.app.screen.follow()
    await stage.chat.open(stage.chat.conversation)
    stage.chat.follows.refresh()
    await stage.show(Tell("Erased", *done_lines(done)))
    if done.removable:
        await _offer_removal(stage, done.removable)
    if done.active is not None:
        await _offer_retraining(stage, done.active)


def _dialog(stage: Stage) -> ForgetDialog:
    screen = stage.app.screen
    if isinstance(screen, PairsScreen) and screen.current is not None:
        return ForgetDialog("pair", str(screen.current))
    if isinstance(screen, ChatScreen) and (number := screen.meant) is not None:
        return ForgetDialog("conversation", str(number))
    return ForgetDialog()


async def _waiting(stage: Stage, title: str, work: Callable[[Desk], Done]) -> Done:
    """*work* beside the event loop, with a word that it is being done."""
    wait = Wait(title)
    stage.app.push_screen(wait)
    try:
        return await aside(stage.service, work)
    finally:
        wait.done()


async def _offer_removal(stage: Stage, names: list[Version]) -> None:
    text = f"The files of {', '.join(names)}, which learned it and don't answer, are removed for good."
    if await stage.show(Confirm("Remove these versions?", text, "Remove", "Keep", careful=True)):
        who = stage.service.who
        removed = await _waiting(stage, "Removing", lambda desk: core.remove_versions(desk, who))
        stage.say(f"Removed: {', '.join(removed)}.")


async def _offer_retraining(stage: Stage, active: Version) -> None:
    """A version from the base, in the place of the one that learned it."""
    service = stage.service
    text = (
        f"{active} answers and learned it. A retraining that begins from the base replaces it, if its check is passed."
    )
    if not await stage.show(Confirm("Retrain from the base?", text, "Retrain", "Later")):
        return
    recipe = recipe_from(service.desk, None, [f"{name}={value}" for name, value in core.FROM_THE_BASE.items()])
    await service.run_desk.start(await service.run_desk.preflight(recipe))
