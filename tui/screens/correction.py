"""Writing what the bot should have said, beside what it said."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, TextArea

from store.records import Turn
from store.text import clean, detect_language
from tui.core.pair_words import personal_warning
from tui.keymap import spoken
from tui.keys import CORRECTION
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton


class CorrectionEditor(Dialog[str]):
    """Returns the corrected text. *begun*: what was written before and could not be kept; *lengths*: says of question
    and answer what will not fit."""

    BINDINGS: ClassVar[list[BindingType]] = list(CORRECTION)

    def __init__(
        self,
        message: Turn,
        reply: Turn,
        begun: str | None = None,
        lengths: Callable[[str, str], str] = lambda question, answer: "",
    ) -> None:
        super().__init__()
        self._lengths = lengths
        self._message, self.reply, self._begun = message, reply, begun

    @property
    def _begin(self) -> str:
        assert self.reply.reply is not None
        return clean(self._begun or self.reply.reply.correction or self.reply.text)

    @property
    def draft(self) -> str:
        """What was written so far; empty if it is what was there to begin with."""
        text = self.query_one(TextArea).text
        return "" if text == self._begin and self._begun is None else text

    def compose(self) -> ComposeResult:
        """Question on top, original and correction side by side (one above the other where it is narrow)."""
        assert self.reply.reply is not None
        with Vertical(classes="dialog wide", id="correction-editor"):
            yield Plain(f"Customer: {self._message.text}", id="question")
            with Container(id="sides"):
                with VerticalScroll(id="original-box", can_focus=False) as original:
                    original.border_title = Content(f"{self.reply.reply.version} said")
                    yield Plain(self.reply.text or "(nothing)", id="original")
                yield TextArea(self._begin, id="better", soft_wrap=True, tab_behavior="focus")
            yield Plain("", id="correction-personal", classes="problem")
            yield Plain("", id="correction-length", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield PlainButton(spoken(self, "Save ({correction.save})"), id="save", variant="primary")
                yield PlainButton(spoken(self, "Cancel ({dialog.dismiss_dialog})"), id="close")

    def on_mount(self) -> None:
        """Write at once: anew, or after an arrow key into what is there."""
        editor = self.query_one(TextArea)
        editor.border_title = Content("It should have said")
        editor.focus()
        if self._begun is None:
            editor.border_subtitle = Content("typing replaces it, an arrow key keeps it")
            editor.select_all()
        else:
            editor.move_cursor(editor.document.end)
        self._warn()

    @on(TextArea.Changed)
    def _warn(self) -> None:
        """Say so at once if the pair would be too long, or hold personal data, which may be repeated to anybody."""
        better = self.query_one(TextArea).text
        warning = personal_warning([self._message.text, better], detect_language(f"{self._message.text} {better}"))
        for name, words in (("personal", warning), ("length", self._lengths(self._message.text, better))):
            line = self.query_one(f"#correction-{name}", Plain)
            line.display = bool(words)
            line.show(words)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Return the text, with every letter that was typed before; an empty one is no correction."""
        self.query_one(TextArea).call_later(self._save)

    def _save(self) -> None:
        if text := self.query_one(TextArea).text.strip():
            self.dismiss(text)
        else:
            self.notify("Write what the bot should have said.", markup=False)
