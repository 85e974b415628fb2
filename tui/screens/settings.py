"""The desk's settings as a form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantBlur
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Select, TextArea

from bot.types import PRESETS
from store.settings import QUANTIZATIONS, SettingError, Settings
from tui.keys import SETTINGS
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain

LONG = ("system_message",)  # settings of several lines


class SettingsScreen(Screen[None]):
    """A field for each setting. A value is kept as its field is left; a wrong one is refused with its reason."""

    BINDINGS: ClassVar[list[BindingType]] = list(SETTINGS)

    def __init__(self, settings: Settings, save: Callable[[str, str], Settings], themes: Sequence[str] = ()) -> None:
        super().__init__()
        self._settings, self._save = settings, save
        self._choices: dict[str, Sequence[str]] = {
            "quantization": QUANTIZATIONS,
            "decoding": tuple(PRESETS),
            "theme": tuple(sorted(themes)),
        }

    def compose(self) -> ComposeResult:
        """Name, meaning and value of each."""
        with Vertical(id="settings"):
            yield Plain("Settings — a value is kept as you leave its field", classes="dialog-title")
            with VerticalScroll(can_focus=False):
                for item in fields(Settings):
                    yield Plain(f"{item.name} — {item.metadata['help']}", classes="about")
                    yield self._field(item)
                    yield Plain("", id=f"word-{item.name}", classes="word")
        yield KeyBar()

    def _field(self, item: Field[Any]) -> Widget:
        value, name = text_of(getattr(self._settings, item.name)), f"set-{item.name}"
        choices = self._choices.get(item.name, ())
        if value in choices:
            options = [(Content(choice), choice) for choice in choices]
            return Select(options, value=value, allow_blank=False, id=name, compact=True)
        if item.name in LONG:
            return TextArea(value, id=name, tab_behavior="focus", compact=True)
        return Input(value, id=name, compact=True)

    def on_mount(self) -> None:
        """Begin at the top."""
        self.query(Input).first().focus()

    @on(Input.Submitted)
    @on(Select.Changed)
    def _entered(self, event: Input.Submitted | Select.Changed) -> None:
        self._keep(event.control)

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """A field was left."""
        self._keep(event.widget)

    def _keep(self, field: Widget) -> bool:
        """Keep the value of *field* if it is another than before; False if it was refused."""
        name = (field.id or "").removeprefix("set-")
        if name == field.id or not isinstance(field, Input | Select | TextArea):
            return True
        value = field.text if isinstance(field, TextArea) else str(field.value)
        if value == text_of(getattr(self._settings, name)):
            self._say(name, "")
            return True
        try:
            self._settings = self._save(name, value)
        except SettingError as error:
            self._say(name, str(error), trouble=True)
            return False
        self._say(name, "Kept.")
        return True

    def _say(self, name: str, word: str, *, trouble: bool = False) -> None:
        line = self.query_one(f"#word-{name}", Plain)
        line.display = bool(word)
        line.set_class(trouble, "problem")
        line.show(word)

    def action_dismiss_dialog(self) -> None:
        """Back to the chat, unless the field in focus holds a value that was just refused."""
        if self.focused is None or self._refused(self.focused) or self._keep(self.focused):
            self.dismiss(None)

    def _refused(self, field: Widget) -> bool:
        """Whether the operator was told that this field's value is wrong."""
        words = self.query(f"#word-{(field.id or '').removeprefix('set-')}")
        return any(word.has_class("problem") for word in words)


def text_of(value: Any) -> str:
    """A setting's value as it is written into its field."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
