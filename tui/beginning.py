"""The screen before a new desk: nothing is made on the disk until somebody chose what the desk begins with."""

from __future__ import annotations

from pathlib import Path

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from store.text import clean
from tui.screens.start import FirstChoice, FirstStart
from tui.terminal.driver import TerminalDriver
from tui.terminal.widths import measure_by_the_wider
from tui.themes import OWN


class BeginningApp(App[FirstChoice]):
    """Asks what the new desk at *root* shall begin with; returns None if none is wanted."""

    TITLE = "deskloop"
    CSS_PATH = "styles/deskloop.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, root: Path) -> None:
        measure_by_the_wider()
        super().__init__()
        self._root = root
        for theme in OWN:
            self.register_theme(theme)

    def get_driver_class(self) -> type[Driver]:
        """What draws it: in a terminal our own, as the app's."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def on_mount(self) -> None:
        """Ask."""
        self.push_screen(FirstStart(self._root), self._chosen)

    def _chosen(self, choice: FirstChoice | None) -> None:
        self.exit(choice, message=None if choice else f"No desk was made in {clean(str(self._root))}.")
