"""A number of each version as a column of characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from store.text import clean

BLOCKS = " ▁▂▃▄▅▆▇█"
WIDEST = 10  # characters of a column with its gap: a few versions don't become a wall
Column = tuple[str, float | None, str]  # the version, its number (None: there is none), and the number in words


def columns(values: Sequence[Column], width: int, height: int) -> str:
    """*values* as columns that grow from zero, in *width* x *height* characters; the latest of those that don't fit.

    Each number stands in words above its column, each version below it."""
    least = max((max(len(name), 1 if value is None else len(words)) for name, value, words in values), default=0) + 1
    shown = values[-max(1, width // least) :]
    cell = max(least, min(WIDEST, width // max(1, len(shown))))
    rows = max(1, height - 2)
    top = max((value for _, value, _ in shown if value is not None), default=0.0) or 1.0
    lines = [[" " * cell] * len(shown) for _ in range(rows + 1)]
    for place, (_, value, words) in enumerate(shown):
        eighths = 0 if value is None else round(max(0.0, value) / top * rows * 8)
        full, rest = divmod(eighths, 8)
        for row in range(full):
            lines[rows - row][place] = ("█" * (cell - 1)).ljust(cell)
        if rest:
            lines[rows - full][place] = (BLOCKS[rest] * (cell - 1)).ljust(cell)
        lines[max(0, rows - full - bool(rest))][place] = ("–" if value is None else words).center(cell - 1).ljust(cell)
    names = "".join(name.center(cell - 1).ljust(cell) for name, _, _ in shown)
    return "\n".join(["".join(line) for line in lines] + [names])


class VersionChart(Static):
    """Draws columns for the size there is; *title* says what they show."""

    def __init__(self, title: str, values: Sequence[Column] = ()) -> None:
        super().__init__("", markup=False, classes="version-chart")
        self._values = values
        self.border_title = Content(clean(title))

    def show(self, values: Sequence[Column]) -> None:
        """Draw others."""
        self._values = values
        self.on_resize()

    def on_resize(self) -> None:
        """Another size, other columns."""
        if self.size.width > 4 and self.size.height > 2:
            drawn = Content(clean(columns(self._values, self.size.width, self.size.height)))
            for bar in re.finditer(f"[{BLOCKS[1:]}]+", drawn.plain):
                drawn = drawn.stylize("$primary", *bar.span())
            self.update(drawn)
