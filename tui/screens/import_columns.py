"""Saying which column of a table holds what, with its first rows in view."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Select

from store.text import clean
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

PAIR = (("instruction", "Question"), ("output", "Answer"))
MESSAGES = (("conversation", "Conversation"), ("role", "Who says it"), ("text", "Message"))
NONE = ""  # what stands for no column
LONGEST = 40  # characters of a cell that are shown


class ColumnsDialog(Dialog[dict[str, str]]):
    """Returns what was chosen: role to column."""

    TITLE_TEXT = "Which column holds what?"

    def __init__(
        self, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], chosen: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self._columns, self._rows, self._chosen = columns, rows, dict(chosen or {})

    def body(self) -> ComposeResult:
        """Each column with how it begins, and a line for each thing to find one for."""
        for place, name in enumerate(self._columns):
            cells = [short(row[place]) for row in self._rows[:3] if place < len(row) and row[place].strip()]
            yield Plain(f"{short(name)}: {' · '.join(cells) or 'empty in the first rows'}", classes="sentence")
        yield Plain("A question and its answer in each row", classes="heading")
        for role, label in PAIR:
            yield self._line(role, label)
        yield Plain("Or one message in each row", classes="heading")
        for role, label in MESSAGES:
            yield self._line(role, label)
        yield Plain("", id="columns-problem", classes="problem")

    def _line(self, role: str, label: str) -> Horizontal:
        value = self._chosen.get(role, NONE)
        return Horizontal(
            Plain(label, classes="key"),
            Select(
                [(Content("none"), NONE), *((Content(short(name)), name) for name in self._columns)],
                value=value if value in self._columns else NONE,
                allow_blank=False,
                compact=True,
                id=f"column-{role}",
            ),
            classes="filter-line",
        )

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton("Preview", id="use", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Begin with the question."""
        self.query(Select).first().focus()

    @on(Button.Pressed, "#use")
    def _use(self) -> None:
        chosen = {
            role: value
            for role, _ in (*PAIR, *MESSAGES)
            if isinstance(value := self.query_one(f"#column-{role}", Select).value, str) and value != NONE
        }
        if problem := problem_with(chosen):
            self.query_one("#columns-problem", Plain).show(problem)
            self.query(Select).first().focus()
        else:
            self.dismiss(chosen)


def problem_with(chosen: Mapping[str, str]) -> str:
    """What is wrong with a choice of columns, in a sentence; "" if nothing is."""
    if len(set(chosen.values())) < len(chosen):
        return "One column can't be two things."
    kinds = [{role for role, _ in kind} for kind in (PAIR, MESSAGES)]
    if set(chosen) not in kinds:
        return "Choose a column for the question and one for the answer, or all three for messages."
    return ""


def short(text: str) -> str:
    """The beginning of *text*, on one line."""
    line = " ".join(clean(text[: 4 * LONGEST]).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
