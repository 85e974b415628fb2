"""Importing a file."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Select

from tui.core.importing import FORMATS
from tui.core.reach import Reach
from tui.screens.dialog import Dialog
from tui.screens.paths import PathSuggester, file_problem
from tui.widgets.text import Plain, PlainButton


class ImportDialog(Dialog[tuple[Path, str | None]]):
    """Returns the file and its format (None: told by its content)."""

    TITLE_TEXT = "Import a file"

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def body(self) -> ComposeResult:
        """Path and format."""
        yield Plain(
            "Pairs as JSON, JSONL (instruction and output, chat messages, ShareGPT) or CSV with a header, or whole "
            "conversations. Next you see what would be imported; nothing is saved until you agree."
        )
        yield Input(
            placeholder="Path of the file (Right completes it)", id="path", suggester=PathSuggester(self._reach)
        )
        yield Plain("", id="import-problem", classes="problem")
        yield Select(((Content(name), name) for name in FORMATS), prompt="Format: detect it", id="format")

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton("Preview", id="import", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#import")
    def _go(self) -> None:
        given = self.query_one(Input).value
        if (problem := file_problem(self._reach, given)) is not None:
            self.query_one("#import-problem", Plain).show(problem)
            self.query_one(Input).focus()
            return
        chosen = self.query_one(Select).value
        self.dismiss((self._reach.to_read(given), chosen if isinstance(chosen, str) else None))
