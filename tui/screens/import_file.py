"""Importing a file."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Button, Input, Select

from store.importing import FORMATS
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

LOOKED_AT = 2000  # entries of a folder that are searched for a completion


class PathSuggester(Suggester):
    """Completes the path that is being typed; the right arrow takes the suggestion."""

    async def get_suggestion(self, value: str) -> str | None:
        """The first entry that begins as *value* does."""
        return completed(value)


def completed(value: str) -> str | None:
    """*value* up to the end of the first entry that begins like it; None if there is none."""
    slash = value.rfind("/") + 1
    start = value[slash:]
    if not start:
        return None
    try:
        with os.scandir(Path(value[:slash] or ".").expanduser()) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, LOOKED_AT))
    except OSError:
        return None
    matches = (name + "/" * is_dir for name, is_dir in found if name.startswith(start))
    return next((value[:slash] + match for match in matches), None)


class ImportDialog(Dialog[tuple[Path, str | None]]):
    """Returns the file and its format (None: told by its content)."""

    TITLE_TEXT = "Import a file"

    def body(self) -> ComposeResult:
        """Path and format."""
        yield Plain(
            "Pairs as JSON, JSONL (instruction and output, chat messages, ShareGPT) or CSV with a header, or whole "
            "conversations. Next you see what would come in; nothing is written before you agree."
        )
        suggester = PathSuggester(use_cache=False, case_sensitive=True)
        yield Input(placeholder="Path of the file (Right completes it)", id="path", suggester=suggester)
        yield Plain("", id="import-problem", classes="problem")
        yield Select(((Content(name), name) for name in FORMATS), prompt="Format: tell by the content", id="format")

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton("Look into it", id="import", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#import")
    def _go(self) -> None:
        path = Path(self.query_one(Input).value.strip()).expanduser()
        if not path.is_file():
            self.query_one("#import-problem", Plain).show(f"There is no file {path}.")
            self.query_one(Input).focus()
            return
        chosen = self.query_one(Select).value
        self.dismiss((path, chosen if isinstance(chosen, str) else None))
