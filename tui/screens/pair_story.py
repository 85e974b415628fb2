"""One pair from the reply it came of to what each run made of it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button

from tui.core.pair_words import story_parts
from tui.core.pairs import Story
from tui.keymap import spoken
from tui.keys import PAIR_STORY, SCROLLED
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton


class PairStoryDialog(Dialog[int]):
    """Returns the reply to be opened in the chat, if that is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [*PAIR_STORY, *SCROLLED]

    def __init__(self, story: Story) -> None:
        super().__init__()
        self._story = story

    def compose(self) -> ComposeResult:
        """Everything that is known of the pair."""
        with Vertical(classes="dialog wide", id="pair-story"):
            yield Plain("The story of a pair", classes="dialog-title")
            with VerticalScroll(classes="dialog-body", can_focus=False):
                for heading, text in story_parts(self._story):
                    if heading:
                        yield Plain(heading, classes="who")
                    yield Plain(text, classes="sentence")
            with Horizontal(classes="dialog-buttons"):
                if self._story.conversation is not None:
                    yield PlainButton(
                        spoken(self, "Open the conversation ({pair_story.open})"), id="open", variant="primary"
                    )
                yield PlainButton("Close", id="close")

    def action_open(self) -> None:
        """Go to the reply."""
        if self._story.conversation is not None:
            self.dismiss(self._story.row.pair.reply_id)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The button does what its key does."""
        if event.button.id == "open":
            self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what came of a reply can be opened."""
        return self._story.conversation is not None if action == "open" else True
