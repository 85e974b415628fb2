"""Answers to look through: a line that sums them up, a list, and beside it the marked one as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from store.text import clean
from tui.widgets.text import Plain, seen

LABEL = 200  # characters of a question that a line of the list may need
Details = Callable[[], Content]


class AnswerList(Container):
    """*waiting*: the line above the list until there is one."""

    def __init__(self, waiting: str, *, id: str) -> None:
        super().__init__(id=id, classes="judged-answers")
        self._waiting = waiting
        self._labels: list[str] = []
        self._details: Sequence[Details] = ()

    def compose(self) -> ComposeResult:
        """The line, the list, the details."""
        yield Plain(self._waiting, classes="judged-shown")
        with Container(classes="judged-sides"):
            yield OptionList(classes="judged-list", compact=True)
            with VerticalScroll(classes="judged-details"):
                yield Static("", markup=False)

    def show(self, line: str, answers: Sequence[tuple[str, Details]]) -> None:
        """List *answers*, each with its line of the list and what to show of it. Where the list is the one that stands
        there, the marked answer stays marked."""
        self.query_one(".judged-shown", Plain).show(line)
        labels = [label for label, _ in answers]
        options = self.query_one(OptionList)
        marked = options.highlighted if labels == self._labels else None
        self._labels, self._details = labels, [details for _, details in answers]
        options.clear_options()
        options.add_options([Option(Content(label)) for label in labels])
        if answers:
            options.highlighted = marked or 0
        else:
            self.query_one(".judged-details Static", Static).update(Content("There are no such answers."))

    def focus_list(self) -> None:
        """Begin with the first answer."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionHighlighted)
    def _show_details(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index < len(self._details):
            self.query_one(".judged-details Static", Static).update(self._details[event.option_index]())
            self.query_one(VerticalScroll).scroll_home(animate=False)


def one_line(question: str) -> str:
    """The beginning of *question*, as a line of the list has it."""
    return " ".join(seen(question[:LABEL]).split())


def block(title: str, text: Content) -> Content:
    """A text of the details, under its title."""
    return Content.assemble((clean(title), "bold"), "\n", text if text.plain else "(nothing)")
