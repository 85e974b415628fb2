"""Finding what was said."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from store.records import Turn
from tui.screens.dialog import Dialog
from tui.widgets.text import PlainButton

HITS = 50


class SearchDialog(Dialog[int]):
    """Search as you type over all turns; returns the conversation of the chosen one."""

    TITLE_TEXT = "Find in everything that was said"

    def __init__(self, search: Callable[[str, int], list[tuple[Turn, str]]]) -> None:
        super().__init__()
        self._search = search
        self._found: list[int] = []

    def body(self) -> ComposeResult:
        """Where to write, and what was found."""
        yield Input(placeholder="Words, in any language", id="query")
        yield OptionList(id="hits")

    def buttons(self) -> ComposeResult:
        """Leave."""
        yield PlainButton("Close", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        hits = self._search(event.value, HITS) if event.value.strip() else []
        self._found = [turn.conversation_id for turn, _ in hits]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [Option(Content(f"{'Customer' if turn.role == 'customer' else 'Bot'}: {part}")) for turn, part in hits]
        )

    @on(Input.Submitted)
    def _first(self) -> None:
        if self._found:
            self.dismiss(self._found[0])

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._found[event.option_index])
