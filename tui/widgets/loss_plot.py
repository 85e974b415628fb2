"""The loss curve, drawn in characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content
from textual.widgets import Static

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # Braille: rows of a cell, left and right column
EVALUATED = "●"
LABEL = 6  # columns left of the axis
LEAST = (24, 5)  # columns and rows below which there is no plot

Point = tuple[int, float]  # step, loss


def plot(
    points: Sequence[Point],
    evaluations: Sequence[Point],
    steps: int,
    epoch_steps: float,
    width: int,
    height: int,
    pairs: str = "held-out",
) -> str:
    """The loss of training as a Braille line and that of *pairs* that are not learned from ("held-out" or "validation")
    as dots, over steps from 0 to *steps*, with axes, *width* x *height* characters in all. ``epoch_steps``: steps of an
    epoch, at whose ends the axis is ticked; 0 if nobody knows."""
    columns, rows = max(1, width - LABEL - 2), max(1, height - 3)
    values = [loss for _, loss in (*points, *evaluations)]
    top, low = (max(values), min(0.0, *values)) if values else (1.0, 0.0)
    span = (top - low) or 1.0

    def across(step: float, places: int) -> int:
        return min(places - 1, max(0, round(step / max(1, steps) * (places - 1))))

    def down(loss: float, places: int) -> int:
        return min(places - 1, max(0, round((top - loss) / span * (places - 1))))

    cells = [[0] * columns for _ in range(rows)]
    for step, loss in _filled(points, max(1, steps) / (columns * 4)):
        x, y = across(step, columns * 2), down(loss, rows * 4)
        cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    drawn = [[chr(0x2800 + dots) if dots else " " for dots in row] for row in cells]
    for step, loss in evaluations:
        drawn[down(loss, rows)][across(step, columns)] = EVALUATED
    marks = {0: top, rows // 2: top - span * (rows // 2) / max(1, rows - 1), rows - 1: low}
    lines = [f"{'loss':>{LABEL - 1}}   ⠒ training" + (f"   {EVALUATED} {pairs} pairs" if evaluations else "")]
    for number, row in enumerate(drawn):
        mark = f"{marks[number]:.2f}" if number in marks else ""
        lines.append(f"{mark[: LABEL - 1]:>{LABEL - 1}} {'┤' if mark else '│'}{''.join(row)}")
    axis = ["─"] * columns
    end = epoch_steps
    while 0 < end <= steps * 1.001 and steps / epoch_steps <= columns / 3:
        axis[across(end, columns)] = "┴"
        end += epoch_steps
    lines.append(" " * LABEL + "└" + "".join(axis))
    middle, last = "step, ┴ ends an epoch" if "┴" in axis else "step", str(steps)
    if columns < len(middle) + len(last) + 4:
        middle = "step"
    left = max(1, (columns - len(middle)) // 2 - 1)
    lines.append(" " * (LABEL + 1) + ("0" + " " * left + middle).ljust(columns - len(last)) + last)
    return "\n".join(lines)


def _filled(points: Sequence[Point], gap: float) -> list[tuple[float, float]]:
    """*points* with more on the lines between them, none further than *gap* steps from the next."""
    found: list[tuple[float, float]] = []
    for (a, left), (b, right) in pairwise(points):
        parts = max(1, round((b - a) / gap))
        found += [(a + (b - a) * part / parts, left + (right - left) * part / parts) for part in range(parts)]
    return [*found, *points[-1:]]


class LossPlot(Static):
    """Shows the loss of every step, and the loss on pairs that are not learned from."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="loss-plot")
        self._points: list[Point] = []
        self._evaluations: list[Point] = []
        self._pairs = "held-out"
        self._steps = 1
        self._epoch_steps = 0.0

    def add(self, step: int, steps: int, loss: float, epoch: float | None) -> None:
        """One more point of the curve. A step that comes again (after a resume) replaces what followed it."""
        self._points = _before(self._points, step)
        self._evaluations = _before(self._evaluations, step)
        self._points.append((step, loss))
        self._steps = max(1, steps)
        if epoch:
            self._epoch_steps = step / epoch
        self.refresh_plot()

    def add_evaluation(self, step: int, loss: float, pairs: str) -> None:
        """The loss on *pairs* ("held-out" or "validation") after *step*."""
        self._pairs = pairs
        self._evaluations = [*_before(self._evaluations, step), (step, loss)]
        self.refresh_plot()

    def refresh_plot(self) -> None:
        """Draw again, for the size there is."""
        width, height = self.size
        if width >= LEAST[0] and height >= LEAST[1]:
            words = plot(self._points, self._evaluations, self._steps, self._epoch_steps, width, height, self._pairs)
            self.update(Content(words))

    def on_resize(self) -> None:
        """The plot fills its place."""
        self.refresh_plot()


def _before(points: list[Point], step: int) -> list[Point]:
    return points if not points or points[-1][0] < step else [point for point in points if point[0] < step]
