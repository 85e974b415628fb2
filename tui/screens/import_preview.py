"""What an import will bring in and what not, before anything is written."""

from __future__ import annotations

from typing import Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from store.text import counted
from tui.core.importing import FORMATS, ImportPreview
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

TURNS = 4  # of each conversation that is shown
LONGEST = 160  # characters of a text that are shown

Choice = Literal["import", "plain", "columns"]


class ImportPreviewDialog(Dialog[Choice]):
    """Returns what to do: import, import with HTML as plain text, or say which columns of the table hold what."""

    def __init__(self, name: str, found: ImportPreview) -> None:
        super().__init__()
        self.TITLE_TEXT = f"Import {name}?"
        self._found = found

    @property
    def _something(self) -> bool:
        return bool(self._found.added or self._found.conversations)

    def body(self) -> ComposeResult:
        """What comes in, how it begins, and what stays outside with the reasons."""
        found = self._found
        for sentence in sentences(found):
            yield Plain(sentence)
        if found.pairs or found.talks:
            yield Plain("How it begins", classes="heading")
        for question, answer in found.pairs:
            yield Plain(f"Customer: {short(question)}\nAnswer: {short(answer)}", classes="sentence")
        for turns in found.talks:
            lines = [f"{'Customer' if role == 'customer' else 'Agent'}: {short(text)}" for role, text in turns[:TURNS]]
            more = [f"… and {len(turns) - TURNS} more"] if len(turns) > TURNS else []
            yield Plain("\n".join([*lines, *more]), classes="sentence")
        if found.rejected:
            yield Plain("What is left out", classes="heading")
        for line, reason in found.reasons:
            yield Plain(f"Line {line}: {reason}")
        if found.rejected > len(found.reasons):
            yield Plain(f"… and {found.rejected - len(found.reasons)} more; the import lists all of them in a file.")

    def buttons(self) -> ComposeResult:
        """Go on, or not."""
        if self._something:
            yield PlainButton("Import", id="import", variant="primary")
        if self._found.htmls:
            yield PlainButton("As plain text", id="plain")
        if len(self._found.columns) > 1:
            yield PlainButton("Columns", id="columns")
        yield PlainButton("Cancel" if self._something else "Close", id="close")

    def on_mount(self) -> None:
        """Enter is for the button that does something."""
        self.query_one("#import" if self._something else "#close").focus()

    @on(Button.Pressed, "#import, #plain, #columns")
    def _go(self, event: Button.Pressed) -> None:
        self.dismiss(cast(Choice, event.button.id))


def sentences(found: ImportPreview) -> list[str]:
    """The counts, in words."""
    told = [f"{counted(found.rows, 'row')}, read as {FORMATS.get(found.form or '', 'nothing known')}."]
    if found.conversations:
        told.append(f"{counted(found.conversations, 'conversation')} will be added.")
    there = "is" if found.duplicates == 1 else "are"
    told.append(
        f"{counted(found.added, 'pair')} will be added; {found.duplicates:,} {there} there already and will be skipped."
    )
    if found.rejected:
        stay = "stays" if found.rejected == 1 else "stay"
        told.append(f"{counted(found.rejected, 'row')} can't be used and {stay} outside.")
    return [*told, *found.notes]


def short(text: str) -> str:
    """The beginning of *text*, on one line."""
    line = " ".join(text[: 2 * LONGEST].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
