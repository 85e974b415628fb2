"""Putting a pair right, or redacting it; what is there is kept beside what is to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, TextArea

from store.records import Pair
from store.text import clean
from store.words import Exchange
from tui.core.pair_words import history_lines, personal_warning
from tui.keymap import spoken
from tui.keys import CORRECTION
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton


@dataclass(frozen=True, slots=True)
class PairText:
    """The sides of a pair, as edited."""

    instruction: str
    output: str
    history: tuple[Exchange, ...]


class PairEditor(Dialog[PairText]):
    """Returns the new text. *redacted*: what to begin with, in place of what is there."""

    BINDINGS: ClassVar[list[BindingType]] = list(CORRECTION)

    def __init__(self, pair: Pair, redacted: PairText | None = None) -> None:
        super().__init__()
        self._pair = pair
        self._begin = redacted or PairText(pair.instruction, pair.output, pair.history)
        self._title = f"Edit pair {pair.id}" if redacted is None else f"Pair {pair.id} without personal data"

    def again(self, begun: PairText) -> PairEditor:
        """The same editor with what was written in it, which could not be kept."""
        editor = PairEditor(self._pair)
        editor._title, editor._begin = self._title, begun
        return editor

    def compose(self) -> ComposeResult:
        """What was said before, question, answer."""
        with Vertical(classes="dialog wide", id="pair-editor"):
            yield Plain(f"{self._title} — the old text is kept, the new one trains", classes="dialog-title")
            if history := self._begin.history:
                before = history_lines(replace(self._pair, history=history))
                with VerticalScroll(id="pair-editor-before", can_focus=False):
                    yield Plain("\n".join(before), classes="detail")
            yield Plain("Customer", classes="who")
            yield TextArea(clean(self._begin.instruction), id="pair-instruction", soft_wrap=True, tab_behavior="focus")
            yield Plain("Answer", classes="who")
            yield TextArea(clean(self._begin.output), id="pair-output", soft_wrap=True, tab_behavior="focus")
            yield Plain("", id="pair-personal", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield PlainButton(spoken(self, "Save ({correction.save})"), id="save", variant="primary")
                yield PlainButton(spoken(self, "Cancel ({dialog.dismiss_dialog})"), id="close")

    def on_mount(self) -> None:
        """Write at once, at the end of the answer."""
        editor = self.query_one("#pair-output", TextArea)
        editor.focus()
        editor.move_cursor(editor.document.end)
        self._warn()

    @on(TextArea.Changed)
    def _warn(self) -> None:
        text = self._text()
        sides = [side for exchange in text.history for side in exchange]
        warning = personal_warning([text.instruction, text.output, *sides], self._pair.lang)
        line = self.query_one("#pair-personal", Plain)
        line.display = bool(warning)
        line.show(warning)

    def _text(self) -> PairText:
        question, answer = (self.query_one(f"#pair-{side}", TextArea).text for side in ("instruction", "output"))
        return PairText(question, answer, self._begin.history)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Return the text, with every letter that was typed before."""
        self.query_one("#pair-output", TextArea).call_later(self._save)

    def _save(self) -> None:
        text = self._text()
        if text.instruction.strip() and text.output.strip():
            self.dismiss(text)
        else:
            self.notify("A pair needs a question and an answer. Exclude it if it should not train.", markup=False)
