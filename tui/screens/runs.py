"""Every run of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import DataTable

from finetune.events import clock
from finetune.recipe import Recipe
from store.text import clean
from tui.core.reports import moment, run_details
from tui.core.runs import RunRow
from tui.keymap import spoken
from tui.keys import RUNS
from tui.screens.recipe_diff import RecipeDiff
from tui.screens.result import ResultScreen
from tui.widgets.details import Details
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain

COLUMNS = ("", "Run", "State", "Version", "Pairs", "BLEU", "Took", "Who", "When (UTC)")
NUMBERS = ("Run", "Pairs", "BLEU", "Took")  # columns of numbers, which end below each other


@dataclass(frozen=True, slots=True)
class RunChoice:
    """What to do with run ``run_id``."""

    what: Literal["open", "resume", "discard"]
    run_id: int


class RunsScreen(ResultScreen[RunChoice | None]):
    """A table, the latest run first, and beside it the marked one. Returns what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = list(RUNS)

    def __init__(self, rows: Sequence[RunRow], at: int | None = None) -> None:
        super().__init__()
        self._rows, self._at = list(rows), at
        self._marked: int | None = None

    def compose(self) -> ComposeResult:
        """The table, where there is room the details, and what is marked."""
        with Vertical(id="runs"):
            yield Plain("Runs of this desk", classes="title")
            with Container(classes="sides"):
                yield DataTable(id="run-table", cursor_type="row")
                with VerticalScroll(classes="beside"):
                    yield Details(id="run-details")
            yield Plain("", id="run-word")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the table; the run one came from is the marked one."""
        table = self.query_one("#run-table", DataTable)
        for column in COLUMNS:
            table.add_column(aligned(column, column), key=column)
        for row in self._rows:
            table.add_row(*map(aligned, COLUMNS, cells(row)), key=str(row.run.id))
        ids = [row.run.id for row in self._rows]
        if self._at in ids:
            table.move_cursor(row=ids.index(self._at))
        table.focus()
        if not self._rows:
            self.query_one("#run-word", Plain).show(
                spoken(self, "There has been no retraining yet. {desk.retrain} in the chat starts one.")
            )

    def _row(self) -> RunRow | None:
        number = self.query_one("#run-table", DataTable).cursor_row
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def on_data_table_row_selected(self) -> None:
        """Enter, or a click on the marked line."""
        self._choose("open")

    def on_data_table_row_highlighted(self) -> None:
        """Another line, other details and keys."""
        if (row := self._row()) is not None:
            self.query_one(Details).show(run_details(row.run, row.pairs))
        self.refresh_bindings()

    def _choose(self, what: Literal["open", "resume", "discard"]) -> None:
        if (row := self._row()) is not None:
            self.dismiss(RunChoice(what, row.run.id))

    # -- keys --------------------------------------------------------------------------------------
    def action_dismiss_dialog(self) -> None:
        """Leave."""
        self.dismiss(None)

    def action_open(self) -> None:
        """Its loss curve and log."""
        self._choose("open")

    def action_resume(self) -> None:
        """Go on with an interrupted or failed run."""
        self._choose("resume")

    def action_discard(self) -> None:
        """Give an interrupted or failed run up."""
        self._choose("discard")

    def action_mark(self) -> None:
        """Mark a run to set another's recipe against."""
        row = self._row()
        if row is None:
            return
        table = self.query_one("#run-table", DataTable)
        if self._marked is not None:
            table.update_cell(str(self._marked), "", Text(""))
        self._marked = None if self._marked == row.run.id else row.run.id
        if self._marked is not None:
            table.update_cell(str(self._marked), "", Text("●"))
        word = f"Run {self._marked} is marked; {{runs.diff}} on another run shows the differences."
        self.query_one("#run-word", Plain).show("" if self._marked is None else spoken(self, word))

    def action_diff(self) -> None:
        """The recipe of this run against the marked one's, else that of the run before it, else the usual one."""
        row = self._row()
        if row is None:
            return
        marked = [other.run for other in self._rows if other.run.id == self._marked != row.run.id]
        other = [*marked, *(other.run for other in self._rows if other.run.id < row.run.id)][:1]
        name = f"run {other[0].id}" if other else "the defaults"
        values = other[0].recipe if other else Recipe().to_dict()
        self.app.push_screen(RecipeDiff(name, values, f"run {row.run.id}", row.run.recipe))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if not self.is_mounted or action in ("dismiss_dialog", "help"):
            return True
        row = self._row()
        if action == "resume":
            return row is not None and row.run.resumable
        if action == "discard":
            return row is not None and row.run.discardable
        if action in ("open", "mark", "diff"):
            return row is not None
        return True


def aligned(column: str, cell: str) -> Text:
    """*cell* as it stands in its column."""
    return Text(cell, justify="right" if column in NUMBERS else "left")


def cells(row: RunRow) -> tuple[str, ...]:
    """A run as the columns show it."""
    run = row.run
    before, after = row.bleu.active, row.bleu.candidate
    bleu = "" if after is None else f"{after:.1f}" if before is None else f"{before:.1f} → {after:.1f}"
    took = "" if row.seconds is None else clock(row.seconds)
    return (
        "",
        str(run.id),
        run.state,
        run.candidate or "",
        f"{row.pairs:,}" if row.pairs else "",
        bleu,
        took,
        clean(run.created_by),
        moment(run.created_at),
    )
