"""Facts in two columns: what they are about, and what they are."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from tui.core.reports import Detail
from tui.widgets.text import seen

GAP = 2  # columns between the two


class Details(Static):
    """A line or more for each fact; a fact about nothing in particular takes the whole width."""

    def __init__(self, *, id: str) -> None:
        super().__init__("", markup=False, id=id)
        self._details: Sequence[Detail] = ()

    def show(self, details: Sequence[Detail]) -> None:
        """Show these."""
        self._details = details
        self.refresh_lines()

    def on_resize(self) -> None:
        """Another width, other lines. What they change in height is laid out once this size is settled."""
        self.call_after_refresh(self.refresh_lines)

    def refresh_lines(self) -> None:
        """Draw again, for the width there is."""
        if self.size.width:
            self.update(laid_out(self._details, self.size.width))


def laid_out(details: Sequence[Detail], width: int) -> Content:
    """*details* in lines of *width* columns. What a fact is about is written in the muted colour."""
    indent = max((len(about) for about, _ in details), default=0) + GAP
    lines: list[Content] = []
    for about, words in details:
        text = Content(seen(words))
        if not about:
            lines += [text, Content("")]
            continue
        first, *more = text.wrap(max(8, width - indent)) or [Content("")]
        lines.append(Content.assemble((about.ljust(indent), "$text-muted"), first))
        lines += [Content.assemble(" " * indent, line) for line in more]
    return Content("\n").join(lines)
