"""The first minutes of the app, and its last."""

from __future__ import annotations

import asyncio

from store.records import Run
from tui.core import DeskError
from tui.core.setup import set_up
from tui.flows.data import import_file
from tui.flows.stage import Stage
from tui.screens.dialog import Ask, Wait
from tui.screens.leaving import LeaveDialog
from tui.screens.start import FirstStart, InterruptedRun, NoModel


async def first_minutes(stage: Stage) -> None:
    """Load the engine behind the first picture; meanwhile ask what has to be asked."""
    service = stage.service
    engine = asyncio.create_task(service.start_engine(), name="start-engine")
    if not service.desk.pairs.count(state="all") and not service.desk.conversations.list(limit=1):
        await _first_start(stage)
    for run in service.interrupted():
        await _offer(stage, run)
    state = await engine
    if state.name == "absent" and service.keeper.held is None:
        await _get_model(stage, state.sentence)


async def _first_start(stage: Stage) -> None:
    choice = stage.take_first_choice() or await stage.show(FirstStart())
    if choice == "sample":
        result = await stage.service.parts.importing.sample()
        stage.say(f"The sample desk is loaded: {result.added} pairs. Ask something, or retrain with {{desk.retrain}}.")
    elif choice == "import":
        await import_file(stage)


async def _offer(stage: Stage, run: Run) -> None:
    choice = await stage.show(InterruptedRun(run))
    if choice == "resume":
        try:
            await stage.service.resume_run(run.id)
        except DeskError as error:
            stage.say(error.sentence, trouble=True)
    elif choice == "discard":
        stage.service.discard_run(run.id)
        stage.say(f"Run {run.id} was given up. Its corrections and pairs stay, and train the next time.")


async def _get_model(stage: Stage, sentence: str) -> None:
    """Offer a model until there is one, or the operator has had enough."""
    while (choice := await stage.show(NoModel(sentence))) is not None:
        base: str | None = "starter"
        if choice == "other":
            what = "A folder, or ORG/NAME" if stage.service.reach.own_programs else "ORG/NAME"
            base = await stage.show(Ask("Which model?", f"{what} on the hub (a download).", "Get it"))
        if base is None:
            continue
        wait = Wait("Preparing the model")
        stage.app.push_screen(wait)
        try:
            wanted = stage.service.reach.base(base)
            await set_up(stage.service.desk, wanted, stage.service.who, wait.say, stage.service.engine_factory)
        except DeskError as error:
            sentence = error.sentence
            continue
        finally:
            wait.done()
        state = await stage.service.start_engine()
        if state.name != "absent":
            return
        sentence = state.sentence


async def leave(stage: Stage) -> None:
    """Leave the app. What becomes of a live run is asked, if it is this app's; any other goes on by itself."""
    runs = stage.service.run_desk
    if runs.own is not None:
        choice = await stage.show(LeaveDialog())
        if choice is None:
            return
        if choice == "keep":
            runs.detach()
        else:
            stage.app.push_screen(Wait("Writing a checkpoint of the retraining…"))
            await runs.close()
    stage.app.exit()
