"""The answers a gate compared: a list, and beside it the marked one with its target, before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from textual.content import Content

from store.words import OutcomeName
from tui.core.reports import Change
from tui.widgets.answer_list import AnswerList, block, one_line
from tui.widgets.differences import before_and_after
from tui.widgets.text import seen

Filter = Literal["all", "changed", "worse", "better"]
FILTERS: dict[Filter, Callable[[Change], bool]] = {
    "all": lambda change: True,
    "changed": lambda change: change.changed,
    "worse": lambda change: change.difference < 0,
    "better": lambda change: change.difference > 0,
}
MARKS: dict[OutcomeName, str] = {"learned": "✓", "not learned": "✗", "regressed": "▼"}


class JudgedAnswers(AnswerList):
    """A list of changes, the worst first; the filter leaves out those that are not asked for."""

    def __init__(self, before: str, after: str, *, first: Filter, id: str) -> None:
        super().__init__("Comparing the answers…", id=id)
        self._names = before, after
        self._changes: Sequence[Change] = ()
        self._known = False
        self.filter: Filter = first

    def fill(self, changes: Sequence[Change]) -> None:
        """List these; a filter that would leave nothing gives way to all."""
        self._changes, self._known = changes, True
        if not any(FILTERS[self.filter](change) for change in changes):
            self.filter = "all"
        self._redraw()

    def next_filter(self) -> None:
        """Show the next of all, changed, worse, better."""
        if self._known:
            names = list(FILTERS)
            self.filter = names[(names.index(self.filter) + 1) % len(names)]
            self._redraw()

    def _redraw(self) -> None:
        shown = [change for change in self._changes if FILTERS[self.filter](change)]
        words = " · ".join(f"[{name}]" if name == self.filter else name for name in FILTERS)
        count = f"{len(shown)} of {len(self._changes)}, the worst first"
        answers = [(_label(change), partial(_details, change, *self._names)) for change in shown]
        self.show(f"Shown: {words} — {count}", answers)


def _label(change: Change) -> str:
    question = one_line(change.question)
    if change.answer.outcome is not None:
        return f"{MARKS.get(change.answer.outcome, '·')} {change.answer.outcome:<12}{question}"
    return f"{_sign(change)} {change.difference:+6.1f}  {question}"


def _sign(change: Change) -> str:
    """The direction of a change, told without colour."""
    if not change.changed:
        return "="
    return "▼" if change.difference < 0 else "▲" if change.difference > 0 else "≠"


def _details(change: Change, before: str, after: str) -> Content:
    answer = change.answer
    one, other = before_and_after(answer.before, answer.after)
    fate = f"{answer.outcome}, " if answer.outcome is not None else ""
    question, wanted = Content(seen(change.question)), Content(seen(answer.target))
    blocks = [block("Customer", question), block("Wanted", wanted)]
    if answer.kind == "taught" and not answer.before:  # the version before was not taught it, and not asked
        return Content("\n\n").join([*blocks, block(f"{after} says ({fate}chrF {change.chrf_after:.1f})", other)])
    blocks.append(block(f"{before} said (chrF {change.chrf_before:.1f})", one))
    blocks.append(block(f"{after} says ({fate}chrF {change.chrf_after:.1f}, {change.difference:+.1f})", other))
    return Content("\n\n").join(blocks)
