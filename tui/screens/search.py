"""Finding what was said."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from store.records import Turn
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

HITS = 50


class SearchDialog(Dialog[Turn]):
    """Search as you type over all turns; returns the chosen one."""

    TITLE_TEXT = "Search everything that was said"

    def __init__(self, search: Callable[[str], list[tuple[Turn, str]]]) -> None:
        super().__init__()
        self._search = search
        self._found: list[Turn] = []

    def body(self) -> ComposeResult:
        """Where to write, and what was found."""
        yield Input(placeholder="Words, in any language", id="query")
        yield Plain("", id="hit-count", classes="detail")
        yield OptionList(id="hits", compact=True)

    def buttons(self) -> ComposeResult:
        """Leave."""
        yield PlainButton("Close", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        hits = self._search(event.value) if event.value.strip() else []
        self._found = [turn for turn, _ in hits]
        self.query_one("#hit-count", Plain).show(_count(event.value, len(hits)))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [Option(Content(f"{'Customer' if turn.role == 'customer' else 'Bot'}: {part}")) for turn, part in hits]
        )

    def on_key(self, event: Key) -> None:
        """Down goes from the words to what was found."""
        if event.key == "down" and self.query_one(Input).has_focus and self._found:
            event.stop()
            self.query_one(OptionList).focus().action_first()

    @on(Input.Submitted)
    def _first(self) -> None:
        if self._found:
            self.dismiss(self._found[0])

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])


def _count(query: str, found: int) -> str:
    if not query.strip():
        return ""
    if not found:
        return "No message contains these words."
    more = " (the newest)" if found == HITS else ""
    return f"{found}{more} found. Enter opens the first, Down goes to the others."
