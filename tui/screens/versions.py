"""Every version of the bot, and which one answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer

from tui.core.adapters import Overview
from tui.keys import VERSIONS
from tui.widgets.text import Plain

COLUMNS = ("", "version", "made", "method", "pairs", "BLEU", "verdict", "promoted by")


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """What the operator decided: activate a version, or roll back (version None)."""

    version: str | None


class VersionsScreen(Screen[VersionChoice]):
    """A table of versions and the details of the marked one."""

    BINDINGS: ClassVar[list[BindingType]] = list(VERSIONS)

    def __init__(self, rows: list[Overview], details: Callable[[str], str]) -> None:
        super().__init__()
        self._rows, self._details = rows, details

    def compose(self) -> ComposeResult:
        """Table above, details below."""
        with Vertical(id="versions"):
            yield Plain("Versions", classes="dialog-title")
            yield DataTable(id="version-table", cursor_type="row", zebra_stripes=True)
            with VerticalScroll(id="version-details"):
                yield Plain("", id="details")
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table, the latest first, and mark the active one."""
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(Text(name), key=name)
        for row in reversed(self._rows):
            table.add_row(*(Text(cell) for cell in _cells(row)), key=row.version)
        active = next((place for place, row in enumerate(reversed(self._rows)) if row.active), 0)
        table.move_cursor(row=active)
        table.focus()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the details of the marked version."""
        if event.row_key.value is not None:
            self.query_one("#details", Plain).show(self._details(event.row_key.value))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter activates."""
        self.action_activate()

    def action_activate(self) -> None:
        """Choose the marked version."""
        table: DataTable[Any] = self.query_one(DataTable)
        version = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        self.dismiss(VersionChoice(version))

    def action_roll_back(self) -> None:
        """Choose the version before the active one."""
        self.dismiss(VersionChoice(None))

    def action_dismiss_dialog(self) -> None:
        """Back to the chat."""
        self.dismiss(None)


def _cells(row: Overview) -> tuple[str, ...]:
    return (
        "●" if row.active else " ",
        row.version,
        (row.created_at or "")[:16].replace("T", " "),
        row.method,
        "" if row.pairs is None else str(row.pairs),
        "" if row.bleu is None else f"{row.bleu:.1f}",
        row.verdict or "",
        "" if row.promoted_by is None else f"{row.promoted_by} ({row.promoted_as})",
    )
