"""Whose words are to be erased."""

from __future__ import annotations

from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Select

from store.text import clean
from tui.core.erasing import Kind, NotErased, Subject
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

KINDS: dict[Kind, tuple[str, str]] = {
    "text": ("A text, wherever it is", "A name, a number, an address"),
    "customer": ("A customer, by name or number", "The name or number saved with their conversations"),
    "conversation": ("A conversation, by its number", "12"),
    "pair": ("A pair, by its number", "12"),
}


class ForgetDialog(Dialog[Subject]):
    """Returns what is to be erased; nothing is changed yet."""

    TITLE_TEXT = "Erase what a person said"

    def __init__(self, kind: Kind = "text", value: str = "") -> None:
        super().__init__()
        self._kind, self._value = kind, value

    def body(self) -> ComposeResult:
        """Of which kind, and which."""
        yield Plain("It is erased everywhere in this desk, for good. You see first what will be erased.")
        options = [(Content(name), kind) for kind, (name, _) in KINDS.items()]
        yield Select(options, value=self._kind, allow_blank=False, compact=True, id="forget-kind")
        yield Input(clean(self._value), placeholder=KINDS[self._kind][1], id="forget-what", select_on_focus=False)
        yield Plain("", id="forget-problem", classes="problem")

    def buttons(self) -> ComposeResult:
        """Look first, or leave."""
        yield PlainButton("Find it", id="look", variant="primary")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    @on(Select.Changed)
    def _another_kind(self, event: Select.Changed) -> None:
        kind = cast(Kind, event.value)
        what = self.query_one(Input)
        what.placeholder = KINDS[kind][1]
        if kind != self._kind and what.value == self._value:
            what.value = ""

    @on(Input.Submitted)
    @on(Button.Pressed, "#look")
    def _look(self) -> None:
        kind, what = cast(Kind, self.query_one(Select).value), self.query_one(Input).value
        try:
            self.dismiss(subject_of(kind, what))
        except NotErased as error:
            self.query_one("#forget-problem", Plain).show(error.sentence)
            self.query_one(Input).focus()


def subject_of(kind: Kind, what: str) -> Subject:
    """What an operator named. Raises :class:`NotErased`."""
    if kind == "text":
        return Subject.of_text(what)
    if kind == "customer":
        return Subject.of_customer(what)
    number = what.strip().removeprefix("#")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise NotErased(f"A {kind} has a number, such as 12. Nothing was changed.")
    return Subject(kind, number=int(number))
