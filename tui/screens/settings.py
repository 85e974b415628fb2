"""The desk's settings as a form."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input

from store.settings import SettingError, Settings
from tui.keys import DIALOG
from tui.widgets.text import Plain


class SettingsScreen(Screen[None]):
    """A line for each setting; Enter keeps a value, a wrong one is refused with its reason."""

    BINDINGS: ClassVar[list[BindingType]] = list(DIALOG)

    def __init__(self, settings: Settings, save: Callable[[str, str], Settings]) -> None:
        super().__init__()
        self._settings, self._save = settings, save

    def compose(self) -> ComposeResult:
        """Name, value and meaning of each."""
        with Vertical(id="settings"):
            yield Plain("Settings — Enter keeps a value", classes="dialog-title")
            with VerticalScroll(can_focus=False):
                for item in fields(Settings):
                    yield Plain(item.name, classes="who")
                    yield Input(_text(getattr(self._settings, item.name)), id=f"set-{item.name}", compact=True)
                    yield Plain(str(item.metadata["help"]), classes="detail", id=f"about-{item.name}")
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the top."""
        self.query(Input).first().focus()

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        assert event.input.id is not None
        name = event.input.id.removeprefix("set-")
        about = self.query_one(f"#about-{name}", Plain)
        try:
            self._settings = self._save(name, event.value)
        except SettingError as error:
            about.show(str(error))
            about.add_class("problem")
            return
        about.remove_class("problem")
        about.show("Kept.")
        event.input.value = _text(getattr(self._settings, name))

    def action_dismiss_dialog(self) -> None:
        """Back to the chat."""
        self.dismiss(None)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
