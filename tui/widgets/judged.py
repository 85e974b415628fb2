"""The answers a gate compared: a list, and beside it the marked one with its target, before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from store.text import clean
from store.words import OutcomeName
from tui.core.reports import Change
from tui.widgets.differences import before_and_after
from tui.widgets.text import Plain, seen

Filter = Literal["all", "changed", "worse", "better"]
FILTERS: dict[Filter, Callable[[Change], bool]] = {
    "all": lambda change: True,
    "changed": lambda change: change.changed,
    "worse": lambda change: change.difference < 0,
    "better": lambda change: change.difference > 0,
}
MARKS: dict[OutcomeName, str] = {"learned": "✓", "not learned": "✗", "regressed": "▼"}
LABEL = 200  # characters of a question that a line of the list may need


class JudgedAnswers(Container):
    """A list of changes, the worst first; the filter leaves out those that are not asked for."""

    def __init__(self, before: str, after: str, *, first: Filter, id: str) -> None:
        super().__init__(id=id, classes="judged-answers")
        self._names = before, after
        self._changes: Sequence[Change] = ()
        self._shown: list[Change] = []
        self._known = False
        self.filter: Filter = first

    def compose(self) -> ComposeResult:
        """What is shown, the list, the details."""
        yield Plain("Comparing the answers…", classes="judged-shown")
        with Container(classes="judged-sides"):
            yield OptionList(classes="judged-list", compact=True)
            with VerticalScroll(classes="judged-details"):
                yield Static("", markup=False)

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

    def focus_list(self) -> None:
        """Begin with the first answer."""
        self.query_one(OptionList).focus()

    def _redraw(self) -> None:
        self._shown = [change for change in self._changes if FILTERS[self.filter](change)]
        words = " · ".join(f"[{name}]" if name == self.filter else name for name in FILTERS)
        count = f"{len(self._shown)} of {len(self._changes)}, the worst first"
        self.query_one(".judged-shown", Plain).show(f"Shown: {words} — {count}")
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Content(_label(change))) for change in self._shown])
        if self._shown:
            options.highlighted = 0
        else:
            self.query_one(".judged-details Static", Static).update(Content("There are no such answers."))

    @on(OptionList.OptionHighlighted)
    def _details(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index < len(self._shown):
            self.query_one(".judged-details Static", Static).update(
                _details(self._shown[event.option_index], *self._names)
            )
            self.query_one(VerticalScroll).scroll_home(animate=False)


def _label(change: Change) -> str:
    question = " ".join(seen(change.question[:LABEL]).split())
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
    return Content("\n\n").join(
        [
            _block("Customer", Content(seen(change.question))),
            _block("Wanted", Content(seen(answer.target))),
            _block(f"{before} said (chrF {change.chrf_before:.1f})", one),
            _block(f"{after} says ({fate}chrF {change.chrf_after:.1f}, {change.difference:+.1f})", other),
        ]
    )


def _block(title: str, text: Content) -> Content:
    return Content.assemble((clean(title), "bold"), "\n", text if text.plain else "(nothing)")
