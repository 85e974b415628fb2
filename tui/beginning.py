"""The screen before a new desk: nothing is made on the disk until somebody chose what the desk begins with."""

from __future__ import annotations

from pathlib import Path

from store.text import clean
from tui.screens.start import FirstChoice, FirstStart
from tui.terminal.app import TerminalApp


class BeginningApp(TerminalApp[FirstChoice]):
    """Asks what the new desk at *root* shall begin with; returns None if none is wanted."""

    TITLE = "deskloop"
    CSS_PATH = "styles/deskloop.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def on_mount(self) -> None:
        """Ask."""
        self.push_screen(FirstStart(self._root), self._chosen)

    def _chosen(self, choice: FirstChoice | None) -> None:
        self.exit(choice, message=None if choice else f"No desk was created in {clean(str(self._root))}.")
