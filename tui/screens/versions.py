"""Every version of the bot, and which one answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import DataTable

from store.text import clean
from store.words import BASE, Version
from tui import requests as ask
from tui.core import StoreChanged, VersionChanged
from tui.core.adapters import Overview
from tui.core.reports import Detail
from tui.keys import VERSIONS
from tui.messages import DeskChanged, Requested
from tui.screens.result import ResultScreen
from tui.widgets.details import Details
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain
from tui.widgets.version_chart import VersionChart

COLUMNS = ("", "Version", "BLEU", "Recall", "Pairs", "Verdict", "Method", "Made", "Promoted by")
NUMBERS = ("BLEU", "Recall", "Pairs")  # columns of numbers, which end below each other


class VersionsScreen(ResultScreen[None]):
    """A table of versions, the latest first, the details of the marked one, and how good each was. *again* reads the
    rows anew; *compare*: what a comparison is about that is asked for here."""

    BINDINGS: ClassVar[list[BindingType]] = list(VERSIONS)

    def __init__(
        self,
        rows: Sequence[Overview],
        details: Callable[[Version], Sequence[Detail]],
        again: Callable[[], Awaitable[Sequence[Overview]]],
        compare: ask.Compare,
    ) -> None:
        super().__init__()
        self._rows, self._details, self._again, self._compare = rows, details, again, compare

    def compose(self) -> ComposeResult:
        """The table, and beside or below it details and chart."""
        with Vertical(id="versions"):
            yield Plain("Versions — ● answers now", classes="title")
            with Container(classes="sides"):
                yield DataTable(id="version-table", cursor_type="row")
                with Container(id="version-facts", classes="beside"):
                    with VerticalScroll(id="version-details"):
                        yield Details(id="details")
                    yield VersionChart("BLEU on held-out pairs")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the table and mark the active version."""
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(_aligned(name, name), key=name)
        active = next((row.version for row in self._rows if row.active), None)
        self._fill(self._rows, active)
        table.focus()

    @on(DeskChanged)
    async def _follow(self, event: DeskChanged) -> None:
        """Another version answers, or something else was written."""
        if isinstance(event.change, StoreChanged | VersionChanged):
            rows = await self._again()
            if self.is_attached and rows != list(self._rows):
                self._fill(rows)

    def _fill(self, rows: Sequence[Overview], marked: Version | None = None) -> None:
        """List *rows*, with the mark on *marked* (None: where it is)."""
        self._rows = rows
        marked = marked or self.marked
        table = self.query_one(DataTable)
        table.clear()
        latest_first = list(reversed(rows))
        for row in latest_first:
            style = "dim" if row.other_base or row.removed else ""
            cells = zip(COLUMNS, _cells(row), strict=True)
            table.add_row(*(_aligned(name, clean(cell), style) for name, cell in cells), key=row.version)
        place = next((place for place, row in enumerate(latest_first) if row.version == marked), 0)
        table.move_cursor(row=place)
        self.query_one(VersionChart).show(
            [("●" * row.active + row.version, row.bleu, f"{row.bleu or 0:.1f}") for row in rows]
        )
        self.refresh_bindings()

    @property
    def marked(self) -> Version | None:
        """The version under the cursor."""
        table: DataTable[Any] = self.query_one(DataTable)
        if not table.row_count:
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return None if key is None else Version(key)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the details of the marked version."""
        if event.row_key.value is not None:
            self.query_one(Details).show(self._details(Version(event.row_key.value)))
        self.refresh_bindings()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter activates."""
        self.action_activate()

    def action_activate(self) -> None:
        """Ask for the marked version to answer."""
        version = self.marked
        if version is not None and self._can_answer(version):
            self.post_message(Requested(ask.Activate(version)))

    def action_report(self) -> None:
        """What the check found about the marked version."""
        self.post_message(Requested(ask.ShowReport(self.marked)))

    def action_shadow(self) -> None:
        """Ask for the marked version to answer unseen, or to stop."""
        version = self.marked
        if version is not None and self._can_shadow(version):
            self.post_message(Requested(ask.TryUnseen(version)))

    def action_compare(self) -> None:
        """The marked version beside the active one."""
        self.post_message(Requested(replace(self._compare, version=self.marked)))

    def action_dismiss_dialog(self) -> None:
        """Back to the chat."""
        self.dismiss(None)

    def _can_answer(self, version: Version) -> bool:
        return any(row.version == version and not (row.active or row.other_base or row.removed) for row in self._rows)

    def _can_shadow(self, version: Version) -> bool:
        erased = any(row.version == version and row.erased for row in self._rows)
        return version != BASE and self._can_answer(version) and not erased

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What answers already can't be activated, nor what was trained on another base."""
        if action == "activate" and self.is_mounted:
            marked = self.marked
            return marked is not None and self._can_answer(marked)
        if action == "shadow" and self.is_mounted:
            marked = self.marked
            return marked is not None and self._can_shadow(marked)
        return True


def _aligned(column: str, cell: str, style: str = "") -> Text:
    return Text(cell, style, justify="right" if column in NUMBERS else "left")


def _cells(row: Overview) -> tuple[str, ...]:
    return (
        "●" if row.active else " ",
        row.version,
        "" if row.bleu is None else f"{row.bleu:.1f}",
        "" if row.recall is None else f"{row.recall.share:.0%}",
        "" if row.pairs is None else f"{row.pairs:,}",
        row.standing,
        row.method,
        (row.created_at or "")[:10],
        "" if row.promoted_by is None else f"{row.promoted_by} ({row.promoted_as})",
    )
