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
from tui.core.conversations import Draft
from tui.core.drafts import Drafts
from tui.core.pair_words import personal_warning
from tui.keymap import spoken
from tui.keys import CORRECTION
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton


class CorrectionEditor(Dialog[str]):
    """Stays until *keep* says that the text is kept, and returns it then. *lengths* says of question and answer what
    will not fit; *drafts* has what was being written when the app was left."""

    BINDINGS: ClassVar[list[BindingType]] = list(CORRECTION)

    def __init__(
        self,
        message: Turn,
        reply: Turn,
        keep: Callable[[str], bool],
        lengths: Callable[[str, str], str],
        drafts: Drafts,
    ) -> None:
        super().__init__()
        self._message, self._reply, self._keep, self._lengths, self._drafts = message, reply, keep, lengths, drafts
        self._begun = drafts.answer(reply.id)
        self._forget: Callable[[], None] = lambda: None

    @property
    def _begin(self) -> str:
        assert self._reply.reply is not None
        return clean(self._begun or self._reply.reply.correction or self._reply.proposed)

    def compose(self) -> ComposeResult:
        """Question on top, original and correction side by side (one above the other where it is narrow)."""
        assert self._reply.reply is not None
        with Vertical(classes="dialog wide", id="correction-editor"):
            yield Plain(f"Customer: {self._message.text}", id="question")
            with Container(id="sides"):
                with VerticalScroll(id="original-box", can_focus=False) as original:
                    original.border_title = Content(f"{self._reply.reply.version} said")
                    yield Plain(self._reply.proposed or "(nothing)", id="original")
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
            editor.border_subtitle = Content("typing replaces it, arrows keep it")
            editor.select_all()
        else:
            editor.move_cursor(editor.document.end)

        def written() -> Draft:
            untouched = editor.text == self._begin and self._begun is None
            return Draft("" if untouched else editor.text, None, self._reply.id)

        self._forget = self._drafts.follow(written)
        self._warn()

    def on_unmount(self) -> None:
        """What is written here is kept, or given up."""
        self._forget()

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
        """Keep the text, with every letter that was typed before; an empty one is no correction."""
        self.query_one(TextArea).call_later(self._save)

    def _save(self) -> None:
        text = self.query_one(TextArea).text.strip()
        if not text:
            self.notify("Write what the bot should have said.", markup=False)
        elif self.app.screen is self and self._keep(text):
            self.dismiss(text)
