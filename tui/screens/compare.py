"""Two versions' answers side by side, and a vote on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from store.text import clean
from store.words import Version
from tui.core import DeskError
from tui.core.compare import Comparison, Side
from tui.core.comparisons import Tally, Vote
from tui.core.quality import sign_test_p
from tui.keymap import spoken
from tui.keys import COMPARE
from tui.screens.result import ResultScreen
from tui.widgets.differences import side_by_side
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain, seen

VOTES: dict[Vote, str] = {"left": "left is better", "right": "right is better", "both": "both", "neither": "neither"}


class CompareScreen(ResultScreen[None]):
    """Shows one comparison at a time. *keep* keeps a vote, *tally* counts those on two versions, *stop* ends the
    asking. What is answered arrives by :meth:`heard`; :meth:`ended` says that no more will."""

    BINDINGS: ClassVar[list[BindingType]] = list(COMPARE)

    def __init__(
        self,
        comparisons: Sequence[Comparison],
        *,
        blind: bool,
        keep: Callable[[Comparison], None],
        tally: Callable[[Version, Version], Tally],
        stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self._items = list(comparisons)
        self._blind, self._keep, self._tally, self._stop = blind, keep, tally, stop
        self._place = 0
        self._asking, self._trouble = True, ""

    def compose(self) -> ComposeResult:
        """Question, answers, what is wanted, votes."""
        with Vertical(id="compare"):
            yield Plain("", id="compare-title", classes="title")
            with VerticalScroll(id="compare-question", can_focus=False):
                yield Plain("")
            with Container(id="compare-sides"):
                for side in ("left", "right"):
                    with VerticalScroll(id=f"compare-{side}", can_focus=False):
                        yield Static("", markup=False)
            yield Plain("", id="compare-target")
            yield Plain("", id="compare-votes")
            yield Plain("", id="compare-progress")
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first."""
        self._show()

    # -- what is answered --------------------------------------------------------------------------
    def heard(self, place: int, version: Version, text: str) -> None:
        """*version* answered the question at *place*."""
        self._items[place] = self._items[place].heard(version, text)
        if self.is_mounted:
            if place == self._place:
                self._show()
            else:
                self._show_progress()

    def ended(self, trouble: str = "") -> None:
        """No more answers come; *trouble*: why not all of them did."""
        self._asking, self._trouble = False, trouble
        if self.is_mounted:
            self._show()

    # -- showing -----------------------------------------------------------------------------------
    @property
    def _item(self) -> Comparison:
        return self._items[self._place]

    def _show(self) -> None:
        item = self._item
        count = len(item.history)
        said = f"(After {count} earlier message{'s' if count > 1 else ''}) " if count else ""
        self.query_one("#compare-title", Plain).show(
            f"Compare — {self._place + 1} of {len(self._items)}{', blind' if self._blind else ''}"
        )
        self.query_one("#compare-question Plain", Plain).show(f"{said}Customer: {item.question}")
        left, right = _texts(item)
        for name, side, text in (("left", item.left, left), ("right", item.right, right)):
            box = self.query_one(f"#compare-{name}")
            box.border_title = Content(clean(self._title(name, side)))
            box.set_class(item.vote in (name, "both"), "-chosen")
            self.query_one(f"#compare-{name} Static", Static).update(text)
        target = self.query_one("#compare-target", Plain)
        target.display = item.target is not None
        target.show(f"Wanted: {' '.join((item.target or '').split())}")
        self._show_votes()
        self._show_progress()
        self.refresh_bindings()

    def _title(self, name: str, side: Side) -> str:
        hidden = self._blind and self._item.vote is None
        title = name.capitalize() if hidden else f"{name.capitalize()}: {side.version}"
        return f"{title} ✓ your vote" if self._item.vote in (name, "both") else title

    def _show_votes(self) -> None:
        first, second = sorted((self._item.left.version, self._item.right.version), key=_age)
        tally = self._tally(first, second)
        words = f"Votes: {first} {tally.first}, {second} {tally.second}, both {tally.both}, neither {tally.neither}"
        if tally.first + tally.second:
            words += f" (sign test p {sign_test_p(tally.first, tally.second):.3f})"
        vote = self._item.vote
        self.query_one("#compare-votes", Plain).show(f"{words}. Here: {VOTES[vote]}." if vote else f"{words}.")

    def _show_progress(self) -> None:
        line = self.query_one("#compare-progress", Plain)
        done = sum(item.complete for item in self._items)
        if self._asking:
            stops = spoken(self, "{compare.leave_or_stop} stops.")
            line.show(f"Asking: {done} of {len(self._items)} answered by both. {stops}")
        elif self._trouble:
            line.show(f"! {self._trouble} {done} of {len(self._items)} were answered by both.")
        line.display = self._asking or bool(self._trouble)

    # -- keys --------------------------------------------------------------------------------------
    def _vote(self, vote: Vote) -> None:
        voted = replace(self._item, vote=vote)
        try:
            self._keep(voted)
        except DeskError as error:
            self.app.notify(error.sentence, severity="warning")
            return
        self._items[self._place] = voted
        self._show()

    def action_prefer_left(self) -> None:
        """The left answer is better."""
        self._vote("left")

    def action_prefer_right(self) -> None:
        """The right answer is better."""
        self._vote("right")

    def action_prefer_both(self) -> None:
        """Both will do."""
        self._vote("both")

    def action_prefer_neither(self) -> None:
        """Neither will do."""
        self._vote("neither")

    def action_turn(self, by: int) -> None:
        """Go to another question."""
        self._place = max(0, min(len(self._items) - 1, self._place + by))
        for box in self.query("#compare-sides > VerticalScroll"):
            box.scroll_home(animate=False)
        self._show()

    def action_scroll_sides(self, by: int) -> None:
        """Scroll both answers."""
        for box in self.query("#compare-sides > VerticalScroll"):
            box.scroll_relative(y=by, animate=False)

    def action_leave_or_stop(self) -> None:
        """Stop the comparison; if none is running, close."""
        if self._asking:
            self._stop()
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What has both answers can be voted on, once."""
        if action.startswith("prefer_"):
            return self._item.complete and self._item.vote is None
        if action == "turn":
            return len(self._items) > 1
        return True


def _texts(item: Comparison) -> tuple[Content, Content]:
    if item.left.text is None or item.right.text is None:
        return _text(item.left.text), _text(item.right.text)
    one, other = side_by_side(item.left.text, item.right.text)
    if item.left.text == item.right.text:
        other = Content.assemble("(the same)\n", other)
    return one if one.plain else Content("(nothing)"), other if other.plain else Content("(nothing)")


def _text(text: str | None) -> Content:
    return Content("…" if text is None else seen(text) or "(nothing)")


def _age(version: Version) -> tuple[int, str]:
    """Versions in the order they were made, the base first."""
    number = version[1:]
    return (int(number) if version.startswith("v") and number.isdigit() else 0, version)
