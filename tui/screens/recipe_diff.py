"""What makes two recipes differ."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from textual.app import ComposeResult

from finetune.recipe import Recipe
from tui.core.recipes import value_text
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain


class RecipeDiff(Dialog[None]):
    """Two recipes side by side: the values that differ first, with both, then those that are the same."""

    def __init__(self, left: str, left_values: dict[str, Any], right: str, right_values: dict[str, Any]) -> None:
        super().__init__()
        self.TITLE_TEXT = f"Recipes of {left} and {right}"
        self._left, self._right = left, right
        self._rows = differences(left_values, right_values)

    def body(self) -> ComposeResult:
        """A line for each value."""
        changed = [row for row in self._rows if row[1] != row[2]]
        yield Plain("Different" if changed else "The recipes are the same.", classes="heading")
        if changed:
            yield Plain(f"  {'':<22}{self._left:<20} {self._right}", classes="detail")
        for name, before, after in changed:
            yield Plain(f"≠ {name:<22}{before:<20} {after}", classes="recipe-changed")
        if len(changed) < len(self._rows):
            yield Plain("The same", classes="heading")
        for name, before, after in self._rows:
            if before == after:
                yield Plain(f"  {name:<22}{before}", classes="detail")


def differences(left: dict[str, Any], right: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, left value, right value) of every value of two recipes, in the recipe's order. A value that a recipe of
    an older deskloop does not have is “—”."""
    known = [item.name for item in fields(Recipe)]
    names = [*known, *(name for name in (left | right) if name not in known)]
    return [(name, value_text(left.get(name)), value_text(right.get(name))) for name in names]
