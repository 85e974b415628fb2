"""From the key to the verdict."""

from __future__ import annotations

from finetune.endings import JUDGED, ending_of
from store.pairs.listing import PairFilter
from store.records import Run
from store.words import Version
from tui.core.recipes import USUAL, recipe_from
from tui.flows.pairs import show_conflicts, show_pairs
from tui.flows.stage import Stage
from tui.screens.chat import ChatScreen
from tui.screens.dialog import Ask, Confirm
from tui.screens.preflight import PreflightDialog
from tui.screens.recipe_form import RecipeForm
from tui.screens.report import Override, ReportScreen
from tui.screens.runs import RunsScreen
from tui.screens.training import TrainingScreen
from tui.widgets.status import RunLine


async def retrain(stage: Stage) -> None:
    """Preflight, and if the operator agrees, the run."""
    service = stage.service
    if service.live_run is not None:
        await show_training(stage)
        return
    while True:
        recipe = recipe_from(service.desk)
        found = await service.preflight(recipe)
        choice = await stage.show(PreflightDialog(found, service.settings.recipe or USUAL))
        if choice == "recipe":
            await edit_recipe(stage)
        elif choice == "conflicts":
            await show_conflicts(stage)
        elif choice == "personal":
            await show_pairs(stage, PairFilter("personal data"))
        else:
            break
    if choice == "start":
        await service.run_desk.start(found)


async def edit_recipe(stage: Stage) -> None:
    """The recipe of the next retraining, as a form."""
    await stage.show(RecipeForm(stage.service))


async def show_training(stage: Stage, run: Run | None = None) -> None:
    """How *run* is going or went (None: the run in progress, or the last one)."""
    if run is None and isinstance(stage.app.screen, TrainingScreen):
        return
    runs = stage.service.desk.runs.list(limit=1) if run is None else [run]
    if runs:
        if runs[0].state in JUDGED:
            stage.chat.query_one(RunLine).hide()
        await stage.show(TrainingScreen(runs[0], stage.service.run_desk.stored_events(runs[0].id)))


async def show_runs(stage: Stage) -> None:
    """The history of runs, and from there to any of them."""
    service = stage.service
    at = stage.app.screen.run_id if isinstance(stage.app.screen, TrainingScreen) else None
    while (choice := await stage.show(RunsScreen(service.run_desk.history(), at))) is not None:
        at = choice.run_id
        run = service.desk.runs.get(at)
        if choice.what == "open":
            await show_training(stage, run)
        elif choice.what == "resume":
            await service.resume_run(at)
            await show_training(stage, service.desk.runs.get(at))
        else:
            text = "Its checkpoint is thrown away. Corrections and pairs stay, and train the next time."
            if await stage.show(Confirm(f"Discard run {at}?", text, "Discard it", "Keep it", careful=True)):
                service.discard_run(at)


async def cancel_run(stage: Stage) -> None:
    """Give the run up, if the operator is sure."""
    if stage.service.live_run is None:
        return
    text = "What was learned in this run is thrown away. Corrections and pairs stay."
    if await stage.show(Confirm("Cancel the retraining?", text, "Cancel the run", "Let it run", careful=True)):
        await stage.service.cancel_run()


async def stop_run(stage: Stage) -> None:
    """Stop the run with a checkpoint, to be resumed."""
    run = stage.service.live_run
    if run is None:
        return
    text = "It writes a checkpoint and can be resumed from there, at the next start or in the list of runs."
    if await stage.show(Confirm("Stop the retraining?", text, "Stop it", "Let it run")):
        await stage.service.stop_run()


async def show_verdict(stage: Stage, run_id: int | None = None, *, asked: bool = True) -> None:
    """How a run (None: the last one) ended. Unless it was *asked* for, nobody who is writing is interrupted: the run
    line says it, too."""
    desk = stage.service.desk
    if run_id is None and isinstance(stage.app.screen, TrainingScreen):
        run_id = stage.app.screen.run_id
    runs = desk.runs.list(limit=1) if run_id is None else [desk.runs.get(run_id)]
    if not runs:
        return
    run = runs[0]
    if run.state not in JUDGED:
        _say_end(stage, run)
    elif asked or _may_interrupt(stage):
        stage.chat.query_one(RunLine).hide()
        screen = ReportScreen(run, stage.service.active, lambda: stage.service.parts.reports.changes(run.id))
        choice = await stage.show(screen)
        if isinstance(choice, Override):
            await _override(stage, run, choice.version)


def _say_end(stage: Stage, run: Run) -> None:
    ending = ending_of(run)
    words = ending.sentence
    if ending.failure is not None:
        words = ending.failure.sentence + (f" Details: {ending.failure.log}" if ending.failure.log else "")
    if "resume" in ending.ways:
        words += " {desk.runs} goes on with it or frees its files."
    elif "discard" in ending.ways:
        words += " {desk.runs} frees its files."
    stage.say(words, trouble=run.state == "failed")


def _may_interrupt(stage: Stage) -> bool:
    """Whether a dialog now would disturb nobody."""
    screen = stage.app.screen
    if isinstance(screen, ChatScreen):
        return not screen.composer.text and stage.chat.talk.current is None
    return isinstance(screen, TrainingScreen)


async def _override(stage: Stage, run: Run, version: Version) -> None:
    held = ending_of(run).held
    why = "The check rejected it." if held is None else f"It is held: {held.because}."
    ask = Ask(f"Use {version} all the same?", f"{why} Your reason is kept in the log.", "Use it", "Reason")
    if (reason := await stage.show(ask)) is not None:
        await stage.service.activate(version, reason)
