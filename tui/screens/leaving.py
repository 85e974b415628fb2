"""Leaving while a retraining is in progress."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

LeaveChoice = Literal["keep", "stop"]


class LeaveDialog(Dialog[LeaveChoice]):
    """Returns what becomes of the run; None to stay."""

    TITLE_TEXT = "A retraining is in progress"

    def body(self) -> ComposeResult:
        """What each answer means."""
        yield Plain(
            "It can go on without the app: if it passes the check, the new version answers from the next start on. "
            "Anyone who opens this desk can watch, stop or cancel it.",
            classes="sentence",
        )
        yield Plain("Or it stops with a checkpoint and you resume it at the next start. Nothing is lost either way.")

    def buttons(self) -> ComposeResult:
        """Go on, stop, or stay."""
        yield PlainButton("Keep it running", id="keep", variant="primary")
        yield PlainButton("Stop it", id="stop")
        yield PlainButton("Stay", id="close")

    @on(Button.Pressed, "#keep, #stop")
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)  # type: ignore[arg-type]
