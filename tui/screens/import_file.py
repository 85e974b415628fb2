"""Importing a file."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Select

from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

FORMATS = ("alpaca", "messages", "sharegpt", "csv", "turns")


class ImportDialog(Dialog[tuple[Path, str | None]]):
    """Returns the file and its format (None: told by its content)."""

    TITLE_TEXT = "Import a file"

    def body(self) -> ComposeResult:
        """Path and format."""
        yield Plain(
            "Pairs as JSON, JSONL (instruction and output, chat messages, ShareGPT) or CSV with a header, or whole "
            "conversations. What is there already is skipped; rows that can't be read are listed in a file."
        )
        yield Input(placeholder="Path of the file", id="path")
        yield Select(((name, name) for name in FORMATS), prompt="Format: tell by the content", id="format")
        yield Plain("", id="import-problem", classes="problem")

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton("Import", id="import", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#import")
    def _go(self) -> None:
        path = Path(self.query_one(Input).value.strip()).expanduser()
        if not path.is_file():
            self.query_one("#import-problem", Plain).show("There is no such file.")
            return
        chosen = self.query_one(Select).value
        self.dismiss((path, chosen if isinstance(chosen, str) else None))
