"""Before a comparison: which versions, on what, and whether blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Select

from store.words import Version
from tui.core.reach import Reach
from tui.screens.dialog import Dialog
from tui.screens.paths import PathSuggester, file_problem
from tui.widgets.text import Plain, PlainButton
from tui.widgets.tick import Tick

Kind = Literal["question", "conversation", "heldout", "file"]
KINDS: dict[Kind, str] = {
    "question": "One question",
    "conversation": "This conversation again",
    "heldout": "The held-out pairs",
    "file": "The questions of a file",
}
ABOUT: dict[Kind, str] = {
    "question": "The marked reply's question is asked with the messages before it; any other question without.",
    "conversation": "The version on the right answers each message, beside the reply that was given. Nothing is "
    "added to "
    "the conversation.",
    "heldout": "Questions no version was trained on, with the expected answers.",
    "file": "A file as for an import; its questions are asked, not imported. Right completes the path.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to compare. ``text``: the question, or the file's path."""

    kind: Kind
    left: Version
    right: Version
    text: str
    blind: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is to compare. ``left``, ``right``: what stands there to begin with; ``active``: the version that
    answers; ``question``: of the marked reply, or empty; ``conversation``: whether one is open."""

    versions: Sequence[Version]
    left: Version
    right: Version
    active: Version
    question: str
    conversation: bool


class CompareSetup(Dialog[Wanted]):
    """Returns a :class:`Wanted`. *reach*: where a file may lie."""

    TITLE_TEXT = "Compare two versions"

    def __init__(self, offered: Offered, reach: Reach) -> None:
        super().__init__()
        self._offered, self._reach = offered, reach

    def body(self) -> ComposeResult:
        """Sides, what is asked, blind."""
        kinds = [
            (Content(name), kind)
            for kind, name in KINDS.items()
            if kind != "conversation" or self._offered.conversation
        ]
        yield from self._row("What", Select(kinds, value="question", allow_blank=False, compact=True, id="kind"))
        yield Input(self._offered.question, placeholder="What a customer might ask", id="compare-text")
        yield Plain(ABOUT["question"], classes="detail", id="compare-about")
        yield from self._row("Left", self._side("left", self._offered.left))
        yield from self._row("Right", self._side("right", self._offered.right))
        yield Tick("Blind: names and sides are hidden until you vote", id="blind")
        yield Plain("", classes="problem", id="compare-problem")

    def _row(self, name: str, field: Select[Any]) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Plain(name, classes="field-name")
            yield field

    def _side(self, name: str, version: Version) -> Select[Version]:
        options = [
            (Content(f"{each} (answers now)" if each == self._offered.active else each), each)
            for each in self._offered.versions
        ]
        return Select(options, value=version, allow_blank=False, compact=True, id=name)

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton("Compare", id="start-compare", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Write the question at once."""
        self.query_one(Input).focus()

    def _value(self, name: str) -> str:
        return str(self.query_one(f"#{name}", Select).value)

    @property
    def _kind(self) -> Kind:
        return cast(Kind, self._value("kind"))

    @on(Select.Changed, "#kind")
    def _another_kind(self) -> None:
        text = self.query_one(Input)
        text.display = self._kind in ("question", "file")
        text.suggester = PathSuggester(self._reach) if self._kind == "file" else None
        if text.value == self._offered.question and self._kind == "file":
            text.value = ""
        self.query_one("#left", Select).disabled = self._kind == "conversation"
        self.query_one("#compare-about", Plain).show(ABOUT[self._kind])

    @on(Input.Submitted)
    @on(Button.Pressed, "#start-compare")
    def _go(self) -> None:
        text = self.query_one(Input).value.strip()
        wanted = Wanted(
            self._kind, Version(self._value("left")), Version(self._value("right")), text, self.query_one(Tick).value
        )
        if (problem := _problem(wanted, self._reach)) is None:
            self.dismiss(wanted)
        else:
            self.query_one("#compare-problem", Plain).show(problem)


def _problem(wanted: Wanted, reach: Reach) -> str | None:
    """Why this can't be compared."""
    if wanted.kind != "conversation" and wanted.left == wanted.right:
        return "Both sides are the same version. Choose two."
    if wanted.kind == "question" and not wanted.text:
        return "Write a question."
    return file_problem(reach, wanted.text) if wanted.kind == "file" else None
