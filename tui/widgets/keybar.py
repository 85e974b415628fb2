"""The keys of the moment, as many as fit.

One widget draws them all. Textual's own footer holds a widget for every key and makes all of them anew whenever the
focus moves: more work than the rest of the screen together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

SPACE, GAP = 1, 2  # columns between key and name, and behind the name


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One key in the bar: ``begin`` and ``end`` are its columns."""

    key: str
    display: str
    name: str
    tooltip: str
    enabled: bool
    begin: int

    @property
    def end(self) -> int:
        """The column behind its name."""
        return self.begin + len(self.display) + SPACE + len(self.name)


class KeyBar(Widget, can_focus=False):
    """Whole keys only. Those that don't fit are in the help, which stands first. A click is as good as the key."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-bar--key", "key-bar--name", "key-bar--hover", "key-bar--off",
    }  # fmt: skip

    shown: reactive[tuple[ShownKey, ...]] = reactive(())
    hovered: reactive[ShownKey | None] = reactive(None)

    def on_mount(self) -> None:
        """The keys follow the focus, and what the screen allows."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._list()

    def on_resize(self) -> None:
        """Another width, other keys."""
        self._list()

    def render(self) -> Content:
        """The line."""
        parts: list[Any] = []
        for key in self.shown:
            extra = [part for part, holds in (("off", not key.enabled), ("hover", key == self.hovered)) if holds]
            of_key, of_name = (
                self.get_visual_style(*(f"key-bar--{each}" for each in (part, *extra))) for part in ("key", "name")
            )
            parts += [(key.display, of_key), (" " * SPACE + key.name, of_name), " " * GAP]
        return Content.assemble(*parts)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say what the key under the mouse does."""
        self.hovered = self._at(event.x)
        self.tooltip = self.hovered.tooltip if self.hovered else None

    def on_leave(self) -> None:
        """The mouse is elsewhere."""
        self.hovered = None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """As if the key were pressed."""
        key = self._at(event.x)
        if key is not None and key.enabled:
            self.app.simulate_key(key.key)
        elif key is not None:
            self.app.bell()

    def _at(self, column: int) -> ShownKey | None:
        return next((key for key in self.shown if key.begin <= column < key.end), None)

    def _follow(self, screen: Screen[Any]) -> None:
        if self.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self._list)

    def _list(self) -> None:
        if self.is_attached:
            self.shown = tuple(self._keys())

    def _keys(self) -> Iterator[ShownKey]:
        """The keys, in the order of :mod:`tui.keys`, up to the right edge."""
        order = [binding.action for _, binding in self.screen._bindings]
        places = {action: place for place, action in reversed(list(enumerate(order)))}
        found: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                found.setdefault(active.binding.action, active)  # of several keys for one action, the first
        keys = sorted(found.values(), key=lambda one: places.get(one.binding.action, len(order)))
        column = 0
        for active in keys:
            binding = active.binding
            display = self.app.get_key_display(binding)
            tooltip = active.tooltip or binding.description
            key = ShownKey(binding.key, display, binding.description, tooltip, active.enabled, column)
            if key.end > self.app.size.width:
                return
            yield key
            column = key.end + GAP
