"""The first minutes of the app, and its last."""

from __future__ import annotations

import asyncio

from store.records import Run
from tui import requests as ask
from tui.core import DeskError
from tui.flows.data import import_file
from tui.flows.stage import Stage
from tui.screens.dialog import Ask, Wait
from tui.screens.leaving import LeaveDialog
from tui.screens.start import FirstStart, InterruptedRun, NoModel


async def first_minutes(stage: Stage, _: ask.Begin) -> None:
    """Load the engine in the background; meanwhile ask what has to be asked."""
    desk = stage.desk
    engine = asyncio.create_task(desk.engine.start(), name="start-engine")
    if not desk.pairs.any() and desk.conversations.latest() is None:
        await _first_start(stage)
    for run in desk.runs.interrupted():
        await _offer(stage, run)
    await engine
    if desk.engine.state.name == "absent" and desk.engine.held is None:
        await _get_model(stage, desk.engine.state.sentence)


async def _first_start(stage: Stage) -> None:
    choice = stage.take_first_choice() or await stage.open(FirstStart())
    if choice == "sample":
        result = await stage.desk.importing.sample()
        stage.say(f"The sample desk is loaded: {result.added} pairs. Ask something, or retrain with {{desk.retrain}}.")
    elif choice == "import":
        await import_file(stage)


async def _offer(stage: Stage, run: Run) -> None:
    choice = await stage.open(InterruptedRun(run))
    if choice == "resume":
        try:
            await stage.desk.runs.resume(run.id)
        except DeskError as error:
            stage.say(error.sentence, trouble=True)
    elif choice == "discard":
        stage.desk.runs.discard(run.id)
        stage.say(f"Run {run.id} was discarded. Its corrections and pairs are kept, and train next time.")


async def _get_model(stage: Stage, sentence: str) -> None:
    """Offer a model until there is one, or the operator has had enough."""
    while (choice := await stage.open(NoModel(sentence))) is not None:
        base: str | None = "starter"
        if choice == "other":
            what = "A folder, or ORG/NAME" if stage.desk.reach.own_programs else "ORG/NAME"
            base = await stage.open(Ask("Which model?", f"{what} on the hub (a download).", "Get it"))
        if base is None:
            continue
        wait = Wait("Preparing the model")
        stage.app.push_screen(wait)
        try:
            wanted = stage.desk.reach.base(base)
            await stage.desk.bases.set_up(wanted, wait.say)
        except DeskError as error:
            sentence = error.sentence
            continue
        finally:
            wait.done()
        await stage.desk.engine.start()
        if stage.desk.engine.state.name != "absent":
            return
        sentence = stage.desk.engine.state.sentence


async def leave(stage: Stage, _: ask.Leave) -> None:
    """Leave the app. What becomes of a live run is asked, if it is this app's; any other goes on by itself."""
    runs = stage.desk.runs
    if runs.own is not None:
        choice = await stage.open(LeaveDialog())
        if choice is None:
            return
        if choice == "keep":
            runs.detach()
        else:
            stage.app.push_screen(Wait("Writing a checkpoint of the retraining…"))
            await runs.close()
    stage.app.exit()
