"""From the key to the verdict."""

from __future__ import annotations

from finetune.endings import JUDGED, ending_of
from store.records import Run
from store.words import Version
from tui import requests as ask
from tui.core.pair_words import grown_words, put_back_words
from tui.core.pairs import PairFilter
from tui.core.recipes import USUAL
from tui.core.shadow_report import ShadowReport
from tui.flows.pairs import show_conflicts, show_pairs
from tui.flows.stage import Stage
from tui.screens.dialog import Ask, Confirm
from tui.screens.preflight import PreflightDialog
from tui.screens.recipe_form import RecipeForm
from tui.screens.report import Override, ReportScreen
from tui.screens.runs import RunsScreen
from tui.screens.training import TrainingScreen


async def retrain(stage: Stage, _: ask.Retrain) -> None:
    """Preflight, and if the operator agrees, the run."""
    desk = stage.desk
    if desk.runs.live is not None:
        await show_training(stage, ask.ShowTraining())
        return
    grown = False
    while True:
        recipe = desk.recipes.chosen()
        found = await desk.runs.preflight(recipe)
        choice = await stage.open(PreflightDialog(found, desk.settings.now.recipe or USUAL, grown=grown))
        if choice == "recipe":
            await edit_recipe(stage, ask.EditRecipe())
        elif choice == "conflicts":
            await show_conflicts(stage, ask.ShowConflicts())
        elif choice == "personal":
            await show_pairs(stage, ask.ShowPairs(PairFilter("personal data")))
        elif choice == "more tests":
            grown = await _more_tests(stage) or grown
        elif choice == "fewer tests":
            grown = await _fewer_tests(stage)
        else:
            break
    if choice == "start":
        await desk.runs.start(found)


async def _more_tests(stage: Stage) -> bool:
    """Hold out more pairs for the check; returns whether there were any."""
    pairs = stage.desk.pairs
    taken = await pairs.more_tests()
    stage.say(grown_words(taken, pairs.count(split="heldout")))
    stage.store_changed()
    return taken > 0


async def _fewer_tests(stage: Stage) -> bool:
    """Let them train again; after that there is nothing to undo."""
    stage.say(put_back_words(await stage.desk.pairs.fewer_tests()))
    stage.store_changed()
    return False


async def edit_recipe(stage: Stage, _: ask.EditRecipe) -> None:
    """The recipe of the next retraining, as a form."""
    await stage.open(RecipeForm(stage.desk))


async def show_training(stage: Stage, _: ask.ShowTraining) -> None:
    """How the run in progress is going, or how the last one went."""
    run = stage.desk.runs.latest()
    if run is not None:
        await _show_run(stage, run)


async def _show_run(stage: Stage, run: Run) -> None:
    runs = stage.desk.runs
    if run.state in JUDGED:
        stage.facts.run_seen()

    def is_live() -> bool:
        return runs.live is not None and runs.live.id == run.id

    await stage.open(TrainingScreen(run, runs.stored_events(run.id), is_live))


async def show_runs(stage: Stage, request: ask.ShowRuns) -> None:
    """The history of runs, and from there to any of them."""
    runs, at = stage.desk.runs, request.at
    while (choice := await stage.open(RunsScreen(runs.history(), at))) is not None:
        at = choice.run_id
        run = runs.get(at)
        if choice.what == "open":
            await _show_run(stage, run)
        elif choice.what == "resume":
            await runs.resume(at)
            await _show_run(stage, runs.get(at))
        else:
            text = "Its checkpoint is deleted. Corrections and pairs are kept, and train next time."
            if await stage.open(Confirm(f"Discard run {at}?", text, "Discard it", "Keep it", careful=True)):
                runs.discard(at)


async def cancel_run(stage: Stage, _: ask.CancelRun) -> None:
    """Give the run up, if the operator is sure."""
    if stage.desk.runs.live is None:
        return
    text = "What this run learned is deleted. Corrections and pairs are kept."
    if await stage.open(Confirm("Cancel the retraining?", text, "Cancel the run", "Let it run", careful=True)):
        await stage.desk.runs.cancel()


async def stop_run(stage: Stage, _: ask.StopRun) -> None:
    """Stop the run with a checkpoint, to be resumed."""
    run = stage.desk.runs.live
    if run is None:
        return
    text = "It saves a checkpoint. You can resume it at the next start or in the list of runs."
    if await stage.open(Confirm("Stop the retraining?", text, "Stop it", "Let it run")):
        await stage.desk.runs.interrupt()


async def show_verdict(stage: Stage, request: ask.ShowVerdict) -> None:
    """What the check of a run found, and from there, if wanted, a version that was not promoted all the same."""
    desk = stage.desk
    run = desk.runs.get(request.run)
    stage.facts.run_seen()

    async def unseen() -> ShadowReport | None:
        return None if run.candidate is None else await desk.shadow.report(run.candidate)

    screen = ReportScreen(run, desk.promotions.active, lambda: desk.reports.changes(run.id), unseen)
    choice = await stage.open(screen)
    if isinstance(choice, Override):
        await _override(stage, run, choice.version)


async def report_end(stage: Stage, request: ask.ReportEnd) -> None:
    """Say how a run ended that has no verdict; of one that has, the screens ask for the report."""
    run = stage.desk.runs.get(request.run)
    if run.state in JUDGED:
        return
    ending = ending_of(run)
    words = ending.sentence
    if ending.failure is not None:
        words = ending.failure.sentence + (f" Details: {ending.failure.log}" if ending.failure.log else "")
    if "resume" in ending.ways:
        words += " {desk.runs} resumes it or frees its files."
    elif "discard" in ending.ways:
        words += " {desk.runs} frees its files."
    stage.say(words, trouble=run.state == "failed")


async def _override(stage: Stage, run: Run, version: Version) -> None:
    held = ending_of(run).held
    why = "The check rejected it." if held is None else f"It is held: {held.because}."
    question = Ask(f"Use {version} anyway?", f"{why} Your reason is saved in the log.", "Use it", "Reason")
    if (reason := await stage.open(question)) is not None:
        await stage.desk.promotions.activate(version, reason)
