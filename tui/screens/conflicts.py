"""Questions with more than one answer, to be settled before a bot learns both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll

from store.records import Pair
from tui import requests as ask
from tui.core import StoreChanged
from tui.core.open_desk import OpenDesk
from tui.core.pair_words import day
from tui.core.pairs import OpenConflict
from tui.keymap import spoken
from tui.keys import CONFLICTS
from tui.messages import DeskChanged, PairsChanged, Requested
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.rows import Row, Rows
from tui.widgets.text import Plain

SETTLED = "No question has two different answers. {dialog.dismiss_dialog} goes back."
SHOWN = 20  # answers of one question that are shown; the oldest ones


class ConflictsScreen(ResultScreen[None]):
    """The conflicts, and beside or below them the answers of the highlighted one, one of them chosen. What is done to
    them is in :mod:`tui.flows.pairs`."""

    BINDINGS: ClassVar[list[BindingType]] = list(CONFLICTS)

    def __init__(self, desk: OpenDesk) -> None:
        super().__init__()
        self._desk = desk
        self._conflicts: list[OpenConflict] | None = None
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """How many, which, and what each answers."""
        with Vertical(id="conflicts"):
            yield Plain("Conflicts — looking...", id="conflicts-head", classes="title")
            with Container(classes="sides"):
                yield Rows(id="conflict-list")
                with VerticalScroll(id="conflict-answers", classes="beside", can_focus=False):
                    yield Plain("", id="conflict-word", classes="who")
                    for place in range(SHOWN):
                        yield Plain("", id=f"answer-{place}", classes="conflict-answer")
        yield KeyBar()

    async def on_mount(self) -> None:
        """Look; among thousands of questions that takes a moment."""
        rows = self.query_one(Rows)
        rows.focus()
        self.watch(rows, "highlighted", self._moved, init=False)
        self._show_answers()
        self.refresh_list()

    @on(DeskChanged)
    def _follow(self, event: DeskChanged) -> None:
        if isinstance(event.change, StoreChanged) and self.is_current:
            self.refresh_list()

    @on(PairsChanged)
    def refresh_list(self) -> None:
        """Read the list again: something was changed, here or by somebody else."""
        self.run_worker(self.follow(), group="look", exclusive=True)

    async def follow(self) -> None:
        """List what is open now."""
        found = await self._desk.conflicts.open()
        if not self.is_attached:
            return
        same = self.conflict
        self._conflicts = found
        rows = self.query_one(Rows)
        place = min(rows.highlighted or 0, len(found) - 1)
        at = found.index(same) if same in found else place
        rows.show(range(len(found)), self._fetch, at if found else None)
        if self.conflict != same:
            self._chosen = 0
        self.query_one("#conflicts-head", Plain).show(
            f"Conflicts — {len(found):,} open: questions with more than one answer" if found else "Conflicts"
        )
        self._show_answers()

    @property
    def conflict(self) -> OpenConflict | None:
        """The highlighted conflict."""
        place = self.query_one(Rows).number
        if place is None or self._conflicts is None or place >= len(self._conflicts):
            return None
        return self._conflicts[place]

    @property
    def chosen(self) -> int | None:
        """The chosen pair of the highlighted conflict."""
        return None if self.conflict is None else self.conflict.ids[min(self._chosen, len(self.conflict.ids) - 1)]

    def _fetch(self, places: Sequence[int]) -> Mapping[int, Row]:
        return {place: self._row(self._conflicts[place]) for place in places if self._conflicts}

    def _row(self, conflict: OpenConflict) -> Row:
        first = self._desk.pairs.get(conflict.ids[0])
        how = "same question" if conflict.sameness == "same" else f"{conflict.alike:.0f}% alike"
        return Row(first.instruction, f"{len(conflict.ids)} answers", f" {how:<14} ")

    def _moved(self) -> None:
        self._chosen = 0
        self._show_answers()

    def _show_answers(self) -> None:
        conflict = self.conflict
        pairs = [] if conflict is None else [self._desk.pairs.get(number) for number in conflict.ids[:SHOWN]]
        word = "" if self._conflicts is None else spoken(self, SETTLED)
        if conflict is not None:
            word = "One question" if conflict.sameness == "same" else "Two questions, nearly the same"
            if pairs[0].history:
                word += f"; before it: {pairs[0].history[-1][0]} / {pairs[0].history[-1][1]}"
            if len(conflict.ids) > SHOWN:
                word += f"; the first {SHOWN} of {len(conflict.ids)} answers"
        self.query_one("#conflict-word", Plain).show(word)
        for place in range(SHOWN):
            line = self.query_one(f"#answer-{place}", Plain)
            line.display = place < len(pairs)
            if line.display:
                line.show(_answer(pairs[place], chosen=place == self._chosen))
                line.set_class(place == self._chosen, "-chosen")
                if place == self._chosen:
                    line.scroll_visible(animate=False)
        self.refresh_bindings()

    def action_choose_answer(self, by: int) -> None:
        """Choose the answer before or after."""
        if self.conflict is not None:
            self._chosen = max(0, min(self._chosen + by, len(self.conflict.ids) - 1, SHOWN - 1))
            self._show_answers()

    def action_keep_answer(self) -> None:
        """The chosen answer stands."""
        if (conflict := self.conflict) is not None and (pair := self.chosen) is not None:
            self.post_message(Requested(ask.KeepAnswer(conflict, pair)))

    def action_both_are_fine(self) -> None:
        """All answers stand."""
        if (conflict := self.conflict) is not None:
            self.post_message(Requested(ask.AllAreFine(conflict)))

    def action_edit_pair(self) -> None:
        """A better text for the chosen one."""
        if self.chosen is not None:
            self.post_message(Requested(ask.EditPair(self.chosen)))

    def action_dismiss_dialog(self) -> None:
        """Back to where one came from."""
        self.dismiss(None)


def _answer(pair: Pair, *, chosen: bool) -> str:
    mark = "▶" if chosen else " "
    who = f"{pair.source} of {day(pair.created_at)} by {pair.created_by}"
    return f"{mark} Pair {pair.id} · {who}\n  Customer: {pair.instruction}\n  Answer: {pair.output}"
