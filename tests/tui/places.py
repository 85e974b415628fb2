"""Every screen of the app and how it is reached, for the tests that look at all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

import tui.screens
from store.records import Run
from store.words import BASE
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.bisect import BisectScreen
from tui.screens.chat import ChatScreen
from tui.screens.compare import CompareScreen
from tui.screens.compare_setup import CompareSetup
from tui.screens.conflicts import ConflictsScreen
from tui.screens.correction import CorrectionEditor
from tui.screens.dialog import Ask, Confirm, Tell, Wait
from tui.screens.forget import ForgetDialog
from tui.screens.help import HelpDialog
from tui.screens.history import HistoryScreen
from tui.screens.import_columns import ColumnsDialog
from tui.screens.import_file import ImportDialog
from tui.screens.import_preview import ImportPreviewDialog
from tui.screens.leaving import LeaveDialog
from tui.screens.pair_editor import PairEditor
from tui.screens.pair_filter import PairFilterDialog
from tui.screens.pair_story import PairStoryDialog
from tui.screens.pairs import PairsScreen
from tui.screens.preflight import PreflightDialog
from tui.screens.recipe_diff import RecipeDiff
from tui.screens.recipe_form import ChooseRecipe, RecipeForm
from tui.screens.reply_details import ReplyDetails
from tui.screens.report import ReportScreen
from tui.screens.review import ReviewScreen
from tui.screens.runs import RunsScreen
from tui.screens.search import SearchDialog
from tui.screens.settings import SettingsScreen
from tui.screens.start import FirstStart, InterruptedRun, NoModel
from tui.screens.training import TrainingScreen
from tui.screens.versions import VersionsScreen

CHATS = "chats-of-2025.jsonl"  # a file to import, in the desk's folder
TABLE = "table.csv"  # one whose columns have names that say nothing


@dataclass(frozen=True)
class Place:
    """A screen, reached from the chat by ``steps``: keys, ``?words`` to wait for, or ``=text`` to write into the input
    that has the focus (``{home}``: the desk's folder). It is there when ``until`` is to be seen."""

    screen: type[Screen[Any]] | None  # None: one of textual's own
    steps: tuple[str, ...]
    until: str


PAIRS = ("ctrl+b", "?F Filter")
PLACES = {
    "chat": Place(ChatScreen, (), "F2 Correct"),
    "palette": Place(None, ("ctrl+p",), "Retrain"),
    "forget": Place(ForgetDialog, ("alt+e",), "Find it"),
    "help": Place(HelpDialog, ("f1",), "Write what the marked"),
    "correction": Place(CorrectionEditor, ("f2",), "It should have said"),
    "preflight": Place(PreflightDialog, ("f5",), "Pairs to learn from"),
    "training": Place(TrainingScreen, ("f6",), "V Report"),
    "report": Place(ReportScreen, ("f6", "?V Report", "v"), "Answers"),
    "report-answers": Place(ReportScreen, ("f6", "?V Report", "v", "?Answers", "left"), "the worst first"),
    "report-corrections": Place(ReportScreen, ("f6", "?V Report", "v", "?Answers", "right"), "Corrections"),
    "versions": Place(VersionsScreen, ("f7",), "Versions — ● answers now"),
    "history": Place(HistoryScreen, ("f7", "?Versions —", "h"), "Versions over time"),
    "compare": Place(CompareSetup, ("ctrl+t",), "Compare two versions"),
    "comparison": Place(CompareScreen, ("ctrl+t", "?Compare two versions", "enter"), "Votes:"),
    "settings": Place(SettingsScreen, ("f9",), "quantization"),
    "search": Place(SearchDialog, ("ctrl+f", "a"), "Search everything"),
    "review": Place(ReviewScreen, ("f10",), "judged today"),
    "bisect": Place(BisectScreen, ("alt+t",), "By words."),
    "details": Place(ReplyDetails, ("ctrl+d",), "Details of this reply"),
    "rename": Place(Ask, ("alt+r",), "Rename the conversation"),
    "export": Place(Ask, ("alt+x",), "Export the conversation"),
    "roll-back": Place(Confirm, ("f8",), "Roll back to"),
    "pairs": Place(PairsScreen, PAIRS, "F Filter"),
    "pair-filter": Place(PairFilterDialog, (*PAIRS, "f"), "Which pairs?"),
    "pair-editor": Place(PairEditor, (*PAIRS, "e"), "the old text is kept"),
    "pair-story": Place(PairStoryDialog, (*PAIRS, "s"), "The story of a pair"),
    "pair-redaction": Place(PairEditor, (*PAIRS, "d"), "without personal data"),
    "pair-tag": Place(Ask, (*PAIRS, "t"), "tag or -tag"),
    "conflicts": Place(ConflictsScreen, ("alt+g",), "K Keep"),
    "runs": Place(RunsScreen, ("ctrl+g",), "Runs of this desk"),
    "recipe-diff": Place(RecipeDiff, ("ctrl+g", "?D Recipes", "d"), "Recipes of run"),
    "recipe": Place(RecipeForm, ("ctrl+g", "?E Edit recipe", "e"), "that F5 uses"),
    "recipes": Place(ChooseRecipe, ("ctrl+g", "?E Edit recipe", "e", "?that F5 uses", "f3"), "Which recipe?"),
    "import": Place(ImportDialog, ("ctrl+o",), "Path of the file"),
    "import-preview": Place(
        ImportPreviewDialog, ("ctrl+o", "?Path of the file", "=" + "{home}/" + CHATS, "enter"), f"Import {CHATS}?"
    ),
    "import-columns": Place(
        ColumnsDialog, ("ctrl+o", "?Path of the file", "=" + "{home}/" + TABLE, "enter"), "Which column holds what?"
    ),
}

# Screens for moments that tests elsewhere bring about; here they are opened as they are, with a text to show.
MOMENTS: dict[str, Callable[[str], Screen[Any]]] = {
    "first-start": lambda text: FirstStart(),
    "interrupted": lambda text: InterruptedRun(a_run(text)),
    "no-model": NoModel,
    "leaving": lambda text: LeaveDialog(),
    "tell": lambda text: Tell(text, text, text),
    "confirm": lambda text: Confirm(text, text, "Go on", "Stay", careful=True),
    "ask": lambda text: Ask(text, text, "Go on", text, text),
    "wait": Wait,
}


ABSTRACT = ("ConversationScreen", "Dialog", "ResultScreen")


def every_screen() -> set[type[Screen[Any]]]:
    """All screens of ``tui.screens`` that can be opened."""
    for module in pkgutil.iter_modules(tui.screens.__path__):
        importlib.import_module(f"tui.screens.{module.name}")
    found: set[type[Screen[Any]]] = set()
    waiting: list[type[Screen[Any]]] = [Screen]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("tui.screens.") and kind.__name__ not in ABSTRACT and "[" not in kind.__name__:
            found.add(kind)
    return found


def a_run(who: str) -> Run:
    """A run of the operator *who* that was interrupted."""
    return Run(
        id=7, state="interrupted", phase="", recipe={}, parent=BASE, base_fingerprint=None, data_hash=None,
        candidate=None, verdict=None, report=None, failure=None, created_at="2026-03-14T12:00:00.000Z", created_by=who,
        started_at=None, finished_at=None, pid=None,
    )  # fmt: skip


def furnish(open_desk: OpenDesk) -> None:
    """A desk on which every place can be reached."""
    desk = store_of(open_desk)
    scenes.talk(desk)
    scenes.judge(desk, "reject")
    scenes.pairs_to_look_at(desk)
    scenes.said(desk, "Pots", ("Which pots stand frost, and which do not?", "All of them do.", "v3", "complete"))
    (open_desk.home.root / CHATS).write_text(scenes.CHATS, encoding="utf-8")
    (open_desk.home.root / TABLE).write_text("wen,was\n[b]Wo?[/b],Hier.\n", encoding="utf-8")


async def go(app: DeskloopApp, pilot: Pilot[None], place: Place) -> None:
    """From the chat to *place*."""
    for step in place.steps:
        if step.startswith("?"):
            await wait_until(pilot, lambda words=step[1:]: shows(app, words))  # type: ignore[misc]
        elif step.startswith("="):
            app.screen.query_one(Input).value = step[1:].format(home=app.desk.home.root)
        else:
            await pilot.press(step)
    await wait_until(pilot, lambda: shows(app, place.until), place.until)
    assert place.screen is None or isinstance(app.screen, place.screen)


async def back(app: DeskloopApp, pilot: Pilot[None]) -> None:
    """To the chat again, as an operator gets there."""
    while app.screen is not app.chat:
        await pilot.press("escape")
