"""What the check found about a new version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from store.records import JudgedAnswer, Run
from tui.screens.dialog import Dialog
from tui.widgets.status import ending
from tui.widgets.text import Plain, PlainButton

MARKS = {"learned": "✓", "not learned": "✗", "regressed": "▼"}
SHOWN = 40  # corrections listed one by one


@dataclass(frozen=True, slots=True)
class Override:
    """The operator wants the version all the same; why is asked next."""

    version: str


class VerdictDialog(Dialog[Override]):
    """Returns an :class:`Override`, or None to leave everything as the check decided."""

    def __init__(self, run: Run, judged: list[JudgedAnswer], active: str) -> None:
        super().__init__()
        self._run, self._judged, self._active = run, judged, active
        self.TITLE_TEXT = ending(run.state, run.candidate)

    def body(self) -> ComposeResult:
        """The sentence, a table of numbers by language, and every correction with before, after and target."""
        report: dict[str, Any] = self._run.report or {}
        yield Plain(str(report.get("sentence", "There is no report.")), classes="sentence")
        languages = report.get("languages", [])
        if languages:
            yield Plain(f"{'':<10}{'before':>9}{'after':>9}   pairs   p", classes="fact")
        for language in languages:
            before, after = language["active"], language["candidate"]
            for name, key, scale in (("BLEU", "bleu", 1), ("chrF", "chrf", 1), ("exact %", "exact", 100)):
                tail = f"{language['n']:>8}   {language['p']:.3f}" if key == "bleu" else ""
                yield Plain(
                    f"{language['lang'] + ' ' + name:<10}{before[key] * scale:>9.1f}{after[key] * scale:>9.1f}{tail}",
                    classes="fact",
                )
            if language.get("note"):
                yield Plain(f"! {language['note']}", classes="warning")
        corrections = [answer for answer in self._judged if answer.kind == "correction"]
        if corrections:
            yield Plain(_tally(corrections), classes="heading")
        for answer in corrections[:SHOWN]:
            word = answer.outcome or "not judged"
            yield Plain(f"{MARKS.get(word, '·')} {word}", classes="outcome")
            yield Plain(f"   wanted: {answer.target}", classes="detail")
            yield Plain(f"   before: {answer.before}", classes="detail")
            yield Plain(f"   after:  {answer.after}", classes="detail")

    def buttons(self) -> ComposeResult:
        """Keep the decision, or override it."""
        yield PlainButton("Close" if self._run.state == "promoted" else "Keep it so", id="close", variant="primary")
        if self._run.candidate and self._run.candidate != self._active:
            if self._run.state == "held":
                yield PlainButton(f"Use {self._run.candidate} all the same…", id="use")
            elif self._run.state == "rejected":
                yield PlainButton(f"Force {self._run.candidate}…", id="use", variant="error")

    def on_mount(self) -> None:
        """A hurried Enter changes nothing."""
        self.query_one("#close").focus()

    @on(Button.Pressed, "#use")
    def _use(self) -> None:
        assert self._run.candidate is not None
        self.dismiss(Override(self._run.candidate))


def _tally(corrections: list[JudgedAnswer]) -> str:
    """How many corrections became of what."""
    counts = [(sum(answer.outcome == word for answer in corrections), word) for word in MARKS]
    text = "Corrections: " + ", ".join(f"{count} {word}" for count, word in counts if count)
    return text if len(corrections) <= SHOWN else f"{text}; the first {SHOWN} of {len(corrections)}"
