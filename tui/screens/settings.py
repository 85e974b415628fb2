"""The desk's settings as a form."""

from __future__ import annotations

from dataclasses import Field, fields
from itertools import groupby
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantBlur
from textual.widget import Widget
from textual.widgets import Input, Select, TextArea

from store.settings import SettingError, Settings
from tui.core import DeskError, SettingsChanged
from tui.core.open_desk import OpenDesk
from tui.core.settings import FILE_NAME, as_lines
from tui.keys import SETTINGS
from tui.messages import DeskChanged
from tui.screens.result import ResultScreen
from tui.themes import names
from tui.widgets.about import About
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain

LONG = ("system_message", "faithful", "natural", "keys")  # settings of several lines
USUAL = Settings()


class SettingsScreen(ResultScreen[None]):
    """A field for each setting, in groups. A value is judged as it is written and kept as its field is left; a wrong
    one is refused with its reason. What ``deskloop.toml`` gives is shown and can't be changed here."""

    BINDINGS: ClassVar[list[BindingType]] = list(SETTINGS)

    def __init__(self, desk: OpenDesk) -> None:
        super().__init__()
        self._desk = desk
        self._settings = desk.settings.now
        self._given = frozenset(desk.settings.file.values)

    def compose(self) -> ComposeResult:
        """Name, meaning and value of each."""
        with Vertical(id="settings"):
            yield Plain("Settings — a value is saved when you leave its field", classes="title")
            with VerticalScroll(can_focus=False):
                if problem := self._desk.settings.file.problem:
                    yield Plain(problem, classes="problem")
                for group, items in groupby(fields(Settings), key=lambda item: str(item.metadata["group"])):
                    yield Plain(group, classes="group")
                    for item in items:
                        with Container(classes="setting"):
                            yield About(item.name, *self._about(item), id=f"about-{item.name}")
                            with Vertical(classes="value"):
                                yield self._field(item)
                                yield Plain("", id=f"word-{item.name}", classes="word")
        yield KeyBar()

    def _about(self, item: Field[Any]) -> tuple[str, str]:
        """Whether the setting is another than usual and can be changed here, and what it does."""
        notes = []
        if getattr(self._settings, item.name) != (usual := getattr(USUAL, item.name)):
            short = text_of(usual)
            notes.append(f"changed; usual: {short}" if short and len(short) <= 20 else "changed")
        if item.name in self._given:
            notes.append(f"set in {FILE_NAME}, change it there")
        return "; ".join(notes), item.metadata["help"]

    def _field(self, item: Field[Any]) -> Widget:
        value, name = text_of(getattr(self._settings, item.name)), f"set-{item.name}"
        given = item.name in self._given
        choices = names() if item.name == "theme" else item.metadata["choices"]
        if value in choices:
            options = [(Content(choice), choice) for choice in choices]
            return Select(options, value=value, allow_blank=False, id=name, compact=True, disabled=given)
        if item.name in LONG:
            return TextArea(value, id=name, tab_behavior="focus", compact=True, disabled=given)
        return Input(value, id=name, compact=True, disabled=given)

    def on_mount(self) -> None:
        """Begin at the top."""
        for field in self.query("Input, Select, TextArea"):
            if not field.disabled:
                field.focus()
                self.call_after_refresh(self.query_one(VerticalScroll).scroll_home, animate=False)
                return

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _written(self, event: Input.Changed | TextArea.Changed) -> None:
        """Judge what is being written."""
        name, value = self._value(event.control)
        if name is None:
            return
        if value == text_of(getattr(self._settings, name)):
            self._say(name, "")
            return
        try:
            self._desk.settings.try_out(name, value)
        except SettingError as error:
            self._say(name, str(error), trouble=True)
        else:
            self._say(name, "")

    @on(Input.Submitted)
    @on(Select.Changed)
    def _entered(self, event: Input.Submitted | Select.Changed) -> None:
        self._keep(event.control)

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """A field was left."""
        self._keep(event.widget)

    def _value(self, field: Widget) -> tuple[str | None, str]:
        """Which setting *field* is for, and what it says; None if it is no field of a setting."""
        name = (field.id or "").removeprefix("set-")
        if name == field.id or not isinstance(field, Input | Select | TextArea):
            return None, ""
        return name, field.text if isinstance(field, TextArea) else str(field.value)

    def _keep(self, field: Widget) -> bool:
        """Keep the value of *field* if it is another than before; False if it was refused."""
        name, value = self._value(field)
        if name is None:
            return True
        if value == text_of(getattr(self._settings, name)):
            self._say(name, "")
            return True
        try:
            self._settings = self._desk.settings.change(name, value)
        except DeskError as error:
            self._say(name, error.sentence, trouble=True)
            return False
        self._tell_about(name)
        self._say(name, "Kept.")
        return True

    def _tell_about(self, name: str) -> None:
        item = next(item for item in fields(Settings) if item.name == name)
        self.query_one(f"#about-{name}", About).show(name, *self._about(item))

    def _say(self, name: str, word: str, *, trouble: bool = False) -> None:
        line = self.query_one(f"#word-{name}", Plain)
        line.display = bool(word)
        line.set_class(trouble, "problem")
        line.show(word)

    @on(DeskChanged)
    def _follow(self, event: DeskChanged) -> None:
        """Another app or ``deskloop.toml`` changed the settings: show them, but for what is being written. A field
        that has the focus and says what was in force says what is in force now, or leaving it would bring that back."""
        if not isinstance(event.change, SettingsChanged):
            return
        settings = event.change.after
        before, self._settings = self._settings, settings
        self._given = frozenset(self._desk.settings.file.values)
        for item in fields(Settings):
            field = self.query_one(f"#set-{item.name}")
            value, was = text_of(getattr(settings, item.name)), text_of(getattr(before, item.name))
            if value != was and (self._value(field)[1] == was or item.name in self._given):
                if isinstance(field, TextArea):
                    field.text = value
                elif isinstance(field, Input | Select):
                    field.value = value
            field.disabled = item.name in self._given
            self._tell_about(item.name)

    def action_dismiss_dialog(self) -> None:
        """Back to the chat, unless the field in focus holds a value that is refused: that is said first."""
        if self.focused is None or self._refused(self.focused) or self._keep(self.focused):
            self.dismiss(None)

    def _refused(self, field: Widget) -> bool:
        """Whether the operator was told that this field's value is wrong, and wants to leave all the same."""
        words = self.query(f"#word-{(field.id or '').removeprefix('set-')}")
        return any(word.has_class("problem") for word in words)


def text_of(value: Any) -> str:
    """A setting's value as it is written into its field."""
    return as_lines(value) if isinstance(value, dict) else str(value)
