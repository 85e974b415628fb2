"""The loss curve, drawn in characters."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # Braille: rows of a cell, left and right column


def plot(values: Sequence[float], steps: int, width: int, height: int) -> str:
    """*values* (one a step so far, of *steps*) as Braille lines with axes, *width* x *height* characters in all."""
    label = 6
    columns, rows = max(1, width - label - 1), max(1, height - 1)
    top, low = (max(values), min(min(values), 0.0)) if values else (1.0, 0.0)
    span = (top - low) or 1.0
    cells = [[0] * columns for _ in range(rows)]
    for place, value in enumerate(values):
        x = min(columns * 2 - 1, round(place / max(1, steps - 1) * (columns * 2 - 1)))
        y = min(rows * 4 - 1, round((top - value) / span * (rows * 4 - 1)))
        cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    lines = []
    for number, row in enumerate(cells):
        mark = f"{top:5.2f}" if number == 0 else f"{low:5.2f}" if number == rows - 1 else ""
        lines.append(f"{mark:>{label - 1}} │" + "".join(chr(0x2800 + dots) for dots in row))
    end = f"step {steps}"
    lines.append(" " * (label - 1) + " └" + "0".ljust(max(1, columns - len(end)), "─") + end)
    return "\n".join(lines)


class LossPlot(Static):
    """Shows the loss of every step that was told."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="loss-plot")
        self._points: list[tuple[int, float]] = []
        self._steps = 1

    def add(self, step: int, steps: int, loss: float) -> None:
        """One more point."""
        if self._points and step <= self._points[-1][0]:
            self._points = [point for point in self._points if point[0] < step]
        self._points.append((step, loss))
        self._steps = max(1, steps)
        self.refresh_plot()

    def refresh_plot(self) -> None:
        """Draw again, for the size there is."""
        if self.size.width > 12 and self.size.height > 2:
            self.update(Content(plot(self._filled(), self._steps, self.size.width, self.size.height)))

    def _filled(self) -> list[float]:
        """A value for every step up to the last, those between two points on the line between them."""
        values: list[float] = []
        for (a, left), (b, right) in zip(self._points, self._points[1:], strict=False):
            values += [left + (right - left) * k / (b - a) for k in range(b - a)]
        return values + ([self._points[-1][1]] if self._points else [])

    def on_resize(self) -> None:
        """The plot fills its place."""
        self.refresh_plot()
