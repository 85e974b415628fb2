"""Choosing which pairs are listed."""

from __future__ import annotations

from typing import Any, get_args

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Select

from store.text import clean
from store.words import Source
from tui.core.pair_words import SIDES, STATES
from tui.core.pairs import PAIR_STATES, Choices, PairFilter
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

ANY = "any"


class PairFilterDialog(Dialog[PairFilter]):
    """Returns the filter; the words to look for are not its business."""

    TITLE_TEXT = "Which pairs?"

    def __init__(self, wanted: PairFilter, choices: Choices) -> None:
        super().__init__()
        self._wanted, self._choices = wanted, choices

    def body(self) -> ComposeResult:
        """A line for each thing to choose by."""
        wanted = self._wanted
        yield self._line("State", "state", [(STATES[state], state) for state in PAIR_STATES], wanted.state)
        sources = [(source, source) for source in get_args(Source)]
        yield self._line("Source", "source", [(ANY, None), *sources], wanted.source)
        sides = [(name, side) for side, name in SIDES.items()]
        yield self._line("Side", "split", [(ANY, None), *sides], wanted.split)
        yield self._line(
            "Language", "lang", [(ANY, None), *((name, name) for name in self._choices.langs)], wanted.lang
        )
        yield self._line("Tag", "tag", [(ANY, None), *((f"#{name}", name) for name in self._choices.tags)], wanted.tag)
        runs = [(f"run {number}", number) for number in self._choices.runs]
        yield self._line("Trained in", "run", [(ANY, None), *runs], wanted.run)

    def _line(self, name: str, field: str, options: list[tuple[str, Any]], value: Any) -> Horizontal:
        known = {what for _, what in options}
        return Horizontal(
            Plain(name, classes="key"),
            Select(
                [(Content(clean(word)), what) for word, what in options],
                value=value if value in known else options[0][1],
                allow_blank=False,
                compact=True,
                id=f"filter-{field}",
            ),
            classes="filter-line",
        )

    def buttons(self) -> ComposeResult:
        """Show them, or everything that is live."""
        yield PlainButton("Show", id="show", variant="primary")
        yield PlainButton("All in use", id="reset")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Begin with the state."""
        self.query(Select).first().focus()

    @on(Button.Pressed, "#show")
    def _show(self) -> None:
        def chosen(field: str) -> Any:
            return self.query_one(f"#filter-{field}", Select).value

        self.dismiss(
            PairFilter(chosen("state"), chosen("source"), chosen("split"), chosen("tag"), chosen("lang"), chosen("run"))
        )

    @on(Button.Pressed, "#reset")
    def _reset(self) -> None:
        self.dismiss(PairFilter())
