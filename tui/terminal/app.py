"""What every app of deskloop's that is drawn in a terminal does alike: its driver, its end, its widths, its themes."""

from __future__ import annotations

from typing import Any, TypeVar

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.terminal.driver import TerminalDriver
from tui.terminal.ending import Ending
from tui.terminal.widths import measure_by_the_wider
from tui.themes import OWN

Result = TypeVar("Result")


class TerminalApp(App[Result]):
    """Ends in order however it is ended, and draws as terminals count columns."""

    def __init__(self, **options: Any) -> None:
        measure_by_the_wider()
        super().__init__(**options)
        self.ending = Ending(self.leave_at_once, self._give_terminal_back)
        for theme in OWN:
            self.register_theme(theme)

    def get_driver_class(self) -> type[Driver]:
        """What draws the app: in a terminal our own."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    def _give_terminal_back(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.give_back()

    def leave_at_once(self, code: int) -> None:
        """Leave without asking or waiting for anything."""
        self.exit(return_code=code)
