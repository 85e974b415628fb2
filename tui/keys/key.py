"""One key of the app: what it does where, and what settings, help and palette call it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

# What a terminal can't draw as one character, or draws as one nobody can name.
NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "up": "Up",
    "down": "Down",
    "slash": "/",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "question_mark": "?",
    "space": "Space",
    "full_stop": ".",
    "comma": ",",
    "backspace": "Backspace",
}


@dataclass(frozen=True, slots=True)
class Key:
    """``keys``: one or more, with commas between. ``action``: the method ``action_...`` of the widget or screen that
    has the key, or with ``app.`` or ``screen.`` before it, of the app or the screen on top. ``name``: one or two words,
    for the bar and the palette. ``tooltip``: what it does, in a sentence. ``shown``: whether the bar shows it.
    ``first``: before the field that has the focus gets it. ``word``: its name in the settings (empty: the action's)."""

    keys: str
    action: str
    name: str
    tooltip: str
    shown: bool = True
    first: bool = False
    word: str = ""

    def binding(self, group: str) -> Binding:
        """As textual wants it. Its id is what settings and help refer to: ``desk.correct``."""
        return Binding(
            self.keys,
            self.action,
            self.name,
            tooltip=self.tooltip,
            show=self.shown,
            priority=self.first,
            key_display=key_name(self.keys.split(",")[0]),
            id=f"{group}.{self.word or self.action.rpartition('.')[2]}",
        )


def bindings(group: str, *keys: Key) -> list[Binding]:
    """The keys of one place, whose ids begin with *group*."""
    return [key.binding(group) for key in keys]


def key_name(keys: str) -> str:
    """A key as keyboards and this app's sentences write it: ``F2``, ``Ctrl+J``."""
    *modifiers, last = keys.split("+")
    name = NAMES.get(last, last.upper() if len(last) <= 3 else last.capitalize())
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])
