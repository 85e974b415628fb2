"""A list of any length: only the rows in view are fetched and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.binding import BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keys import ROWS
from tui.widgets.text import seen

KEPT = 2000  # rows remembered; beyond that the oldest are forgotten and fetched again when they are looked at


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a text that is cut where there is no room, and at its right marks that never are. ``head``: columns
    before the text, whose spaces stay."""

    text: str
    marks: str = ""
    head: str = ""


Fetch = Callable[[Sequence[int]], Mapping[int, Row]]


class Rows(ScrollView, can_focus=True):
    """Rows known by numbers. Knows nothing of the store: *fetch* turns the numbers in view into rows."""

    BINDINGS: ClassVar[list[BindingType]] = list(ROWS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--highlighted"}

    highlighted: reactive[int | None] = reactive(None)

    class Selected(Message):
        """The operator chose a row."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._numbers: Sequence[int] = ()
        self._fetch: Fetch = lambda numbers: {}
        self._known: dict[int, Row] = {}

    # -- what is listed ----------------------------------------------------------------------------
    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._numbers)

    @property
    def number(self) -> int | None:
        """The number of the highlighted row."""
        place = self.highlighted
        return self._numbers[place] if place is not None and place < self.count else None

    def show(self, numbers: Sequence[int], fetch: Fetch, at: int | None) -> None:
        """List *numbers*; the highlight goes to the row *at*, or nowhere. What was fetched is forgotten."""
        moved = self.number != at
        self._numbers, self._fetch = numbers, fetch
        self._known.clear()
        self.virtual_size = Size(0, self.count)
        self.highlighted = None if at is None else _place(numbers, at)
        if moved:
            self._follow_highlight()
        self.refresh()

    def _row(self, place: int) -> Row:
        number = self._numbers[place]
        if number not in self._known:
            first = max(0, min(place, self.scroll_offset.y) - self.size.height)
            window = self._numbers[first : first + 3 * max(1, self.size.height)]
            if len(self._known) > KEPT:
                self._known.clear()
            self._known |= self._fetch([near for near in {*window, number} if near not in self._known])
        return self._known.get(number) or Row("")

    # -- drawing -----------------------------------------------------------------------------------
    def render_line(self, y: int) -> Strip:
        """The row in line *y* of what is seen."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        style = self.rich_style
        if place >= self.count:
            return Strip.blank(width, style)
        if place == self.highlighted:
            style += self.get_component_rich_style("rows--highlighted", partial=True)
        row = self._row(place)
        marks = f" {row.marks}" if row.marks else ""
        text = seen(row.head) + " ".join(seen(row.text).split())
        room = max(0, width - cell_len(marks))
        if cell_len(text) > room:
            text = set_cell_size(text, max(0, room - 1)) + "…"
        line = set_cell_size(set_cell_size(text, room) + marks, width)
        return Strip([Segment(line, style)], width)

    def watch_highlighted(self) -> None:
        """Another row stands out."""
        self.refresh()

    # -- moving ------------------------------------------------------------------------------------
    def action_move(self, by: int) -> None:
        """Highlight the row *by* places further down."""
        if self.count:
            place = -1 if self.highlighted is None else self.highlighted
            self._highlight(place + by)

    def action_page(self, by: int) -> None:
        """A page down (or up)."""
        self.action_move(by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """The first row."""
        self._highlight(0)

    def action_last(self) -> None:
        """The last row."""
        self._highlight(self.count - 1)

    def action_choose(self) -> None:
        """Choose the highlighted row."""
        if self.number is not None:
            self.post_message(self.Selected(self.number))

    def on_click(self, event: Click) -> None:
        """A click chooses."""
        place = event.y + self.scroll_offset.y
        if place < self.count:
            self._highlight(place)
            self.action_choose()

    def _highlight(self, place: int) -> None:
        if self.count:
            self.highlighted = max(0, min(self.count - 1, place))
            self._follow_highlight()

    def _follow_highlight(self) -> None:
        place, top, height = self.highlighted, self.scroll_offset.y, self.size.height
        if place is None:
            self.scroll_to(y=0, animate=False)
        elif place < top:
            self.scroll_to(y=place, animate=False)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False)


def _place(numbers: Sequence[int], number: int) -> int | None:
    return numbers.index(number) if number in numbers else None
