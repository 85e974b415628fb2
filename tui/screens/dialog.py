"""What dialogs have in common, and the smallest ones."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from store.text import clean
from tui.keys import DIALOG, SCROLLED
from tui.screens.result import ResultScreen
from tui.widgets.text import Plain, PlainButton

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], ResultScreen[Result | None], Generic[Result]):
    """A titled box over the screen below; Escape leaves it with None."""

    BINDINGS: ClassVar[list[BindingType]] = [*DIALOG, *SCROLLED]
    TITLE_TEXT = ""

    def compose(self) -> ComposeResult:
        """Title, body, buttons."""
        with Vertical(classes="dialog"):
            yield Plain(self.TITLE_TEXT, classes="dialog-title")
            with VerticalScroll(classes="dialog-body", can_focus=False):
                yield from self.body()
            with Horizontal(classes="dialog-buttons"):
                yield from self.buttons()

    def body(self) -> ComposeResult:
        """What the dialog shows."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """What can be pressed."""
        yield PlainButton("Close", id="close")

    def action_scroll_body(self, lines: int) -> None:
        """Scroll what doesn't fit."""
        for body in self.query(".dialog-body"):
            body.scroll_relative(y=lines, animate=False)

    def action_dismiss_dialog(self) -> None:
        """Leave."""
        self.dismiss(None)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)


class Tell(Dialog[None]):
    """Something that is too much for a passing notice: sentences, one a paragraph."""

    def __init__(self, title: str, *sentences: str) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self._sentences = sentences

    def body(self) -> ComposeResult:
        """The sentences."""
        for sentence in self._sentences:
            yield Plain(sentence, classes="sentence")


class Wait(ModalScreen[None], ResultScreen[None]):
    """Something is being done that can't be left half way; :meth:`say` tells how it goes, :meth:`done` ends it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """What is done, and how far it is."""
        with Vertical(classes="dialog"):
            yield Plain(self._title, classes="dialog-title")
            yield Plain("", id="wait-word", classes="sentence")

    def say(self, sentence: str) -> None:
        """Show *sentence* in place of the one before."""
        if self.is_mounted:
            self.query_one("#wait-word", Plain).show(sentence)

    def done(self) -> None:
        """It is over. What was opened above (help, the palette) is closed with it."""
        while self in self.app.screen_stack:
            self.app.screen.dismiss(None)


class Confirm(Dialog[bool]):
    """A question with a yes and a no; what can't be undone has the no in focus."""

    def __init__(self, title: str, text: str, yes: str, no: str = "Cancel", *, careful: bool = False) -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self._text, self._yes, self._no, self._careful = text, yes, no, careful

    def body(self) -> ComposeResult:
        """The question."""
        yield Plain(self._text)

    def buttons(self) -> ComposeResult:
        """Yes and no."""
        yield PlainButton(self._yes, id="yes", variant="error" if self._careful else "primary")
        yield PlainButton(self._no, id="no")

    def on_mount(self) -> None:
        """Focus what a hurried Enter should mean."""
        self.query_one("#no" if self._careful else "#yes").focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Ask(Dialog[str]):
    """One line of text, which may not be empty; *value* stands there to begin with."""

    def __init__(self, title: str, text: str, yes: str, placeholder: str = "", value: str = "") -> None:
        super().__init__()
        self.TITLE_TEXT = title
        self._text, self._yes, self._placeholder, self._value = text, yes, placeholder, value

    def body(self) -> ComposeResult:
        """What is asked, and where to write."""
        yield Plain(self._text)
        yield Input(
            clean(self._value).replace("\n", " "), placeholder=self._placeholder, id="answer", select_on_focus=False
        )
        yield Plain("", id="answer-problem", classes="problem")

    def on_mount(self) -> None:
        """Write at once."""
        self.query_one(Input).focus()

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        yield PlainButton(self._yes, id="yes", variant="primary")
        yield PlainButton("Cancel", id="close")

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _submit(self) -> None:
        if text := self.query_one(Input).value.strip():
            self.dismiss(text)
        else:
            self.query_one("#answer-problem", Plain).show("This can't be empty.")
            self.query_one(Input).focus()
