"""Every pair of the desk: found, looked at, put right, one or many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.events import Key
from textual.widgets import Input

from tui import requests as ask
from tui.core import StoreChanged
from tui.core.open_desk import OpenDesk
from tui.core.pair_words import filter_words, history_lines, pair_head, pair_marks, personal_words
from tui.core.pairs import ListedPair, PairFilter
from tui.keymap import spoken
from tui.keys import PAIRS
from tui.messages import DeskChanged, PairsChanged, Requested
from tui.screens.pair_filter import PairFilterDialog
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.rows import Row, Rows
from tui.widgets.text import Plain

NONE = "No pair matches. {pairs.filter_pairs} changes the filter, {pairs.search} the words."


class PairsScreen(ResultScreen[None]):
    """A list of pairs of any length, and the highlighted one beside or below it. What is done to pairs is in
    :mod:`tui.flows.pairs`."""

    BINDINGS: ClassVar[list[BindingType]] = list(PAIRS)

    def __init__(self, desk: OpenDesk, wanted: PairFilter | None = None) -> None:
        super().__init__()
        self._desk = desk
        self.wanted = wanted or PairFilter()
        self._ids: list[int] = []
        self._marked: set[int] = set()

    def compose(self) -> ComposeResult:
        """How many, the words, the list, the highlighted pair, keys."""
        with Vertical(id="pairs"):
            yield Plain("", id="pairs-head", classes="title")
            yield Input(
                placeholder=spoken(self, "Words in question or answer  ( {pairs.search} )"),
                id="pair-query",
                compact=True,
            )
            with Container(classes="sides"):
                yield Rows(id="pair-list")
                with VerticalScroll(id="pair-details", classes="beside", can_focus=False):
                    yield Plain("", id="pair-facts", classes="who")
                    yield Plain("", id="pair-warning", classes="warning")
                    yield Plain("", id="pair-before", classes="detail")
                    yield Plain("", id="pair-question")
                    yield Plain("", id="pair-answer")
        yield KeyBar()

    async def on_mount(self) -> None:
        """Begin with the latest."""
        self.rows.focus()
        self.watch(self.rows, "highlighted", self._show_details, init=False)
        await self.follow()

    @property
    def rows(self) -> Rows:
        """The list."""
        return self.query_one(Rows)

    @property
    def targets(self) -> list[int]:
        """The pairs an action is about: those that are marked, else the highlighted one."""
        if self._marked:
            return sorted(self._marked)
        return [] if self.rows.number is None else [self.rows.number]

    @property
    def current(self) -> int | None:
        """The highlighted pair."""
        return self.rows.number

    # -- showing -----------------------------------------------------------------------------------
    @on(DeskChanged)
    def _follow(self, event: DeskChanged) -> None:
        if isinstance(event.change, StoreChanged) and self.is_current:
            self.refresh_list()

    @on(PairsChanged)
    def _follow_pairs(self, event: PairsChanged) -> None:
        """What was to be done to these is done: their marks go."""
        self._marked -= set(event.pairs)
        self.refresh_list()

    def refresh_list(self) -> None:
        """Read the list again: something was changed, here or by somebody else."""
        self.run_worker(self.follow(), group="look", exclusive=True)

    async def follow(self) -> None:
        """List what fits now."""
        wanted = self.wanted
        ids = await self._desk.pairs.ids(wanted)
        if self.is_attached and wanted == self.wanted:
            self._ids = ids
            self._marked &= set(ids)
            self._show()

    async def _narrow(self, wanted: PairFilter | None) -> None:
        """Show other pairs; the words stay."""
        if wanted is not None:
            self.wanted = replace(wanted, query=self.wanted.query)
            await self.follow()

    def _show(self) -> None:
        place = self.rows.highlighted or 0
        current = self.current
        if current not in self._ids:  # it is out of the list now: go on with what stands in its place
            current = self._ids[min(place, len(self._ids) - 1)] if self._ids else None
        self.rows.show(self._ids, self._fetch, current)
        marked = f" · {len(self._marked):,} marked" if self._marked else ""
        self.query_one("#pairs-head", Plain).show(f"Pairs — {len(self._ids):,} {filter_words(self.wanted)}{marked}")
        self._show_details()

    def _fetch(self, numbers: Sequence[int]) -> Mapping[int, Row]:
        return {row.pair.id: self._row(row) for row in self._desk.pairs.rows(numbers)}

    def _row(self, row: ListedPair) -> Row:
        pair = row.pair
        mark = "✓" if pair.id in self._marked else " "
        return Row(f"{pair.instruction} → {pair.output}", pair_marks(row), f"{mark}{pair.id:>6} {pair.source:<11}")

    def _show_details(self) -> None:
        current = self.current
        rows = [] if current is None else self._desk.pairs.rows([current])
        row = rows[0] if rows else None
        found = personal_words(row) if row else ""
        before = "\n".join(history_lines(row.pair)) if row else ""
        ways = spoken(self, "{pairs.redact_pairs} redacts it, {pairs.clear_pairs} lets it train as it is.")
        for name, text in (
            ("facts", pair_head(row) if row else spoken(self, NONE)),
            ("warning", f"! Personal data: {found}. {ways}" if found else ""),
            ("before", before),
            ("question", f"Customer\n{row.pair.instruction}" if row else ""),
            ("answer", f"Answer\n{row.pair.output}" if row else ""),
        ):
            line = self.query_one(f"#pair-{name}", Plain)
            line.display = bool(text)
            line.show(text)
        self.query_one("#pair-details", VerticalScroll).scroll_home(animate=False)
        self.refresh_bindings()

    # -- keys --------------------------------------------------------------------------------------
    def action_mark(self) -> None:
        """Mark the highlighted pair, or take its mark away; go on to the next."""
        if (current := self.current) is not None:
            self._marked ^= {current}
            self._show()
            self.rows.action_move(1)

    def action_mark_all(self) -> None:
        """Mark everything that is listed, or nothing."""
        self._marked = set() if self._marked >= set(self._ids) else set(self._ids)
        self._show()

    def action_search(self) -> None:
        """Write words to look for."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    async def _look(self, event: Input.Changed) -> None:
        self.wanted = replace(self.wanted, query=event.value)
        self.refresh_list()

    def on_key(self, event: Key) -> None:
        """Down and Enter go from the words to what was found."""
        if event.key in ("down", "enter") and self.query_one(Input).has_focus:
            event.stop()
            event.prevent_default()
            self.rows.focus()

    @on(Rows.Selected)
    def _chosen(self) -> None:
        self.action_pair_story()

    async def action_filter_pairs(self) -> None:
        """List other pairs."""
        choices = await self._desk.pairs.choices()
        self.app.push_screen(PairFilterDialog(self.wanted, choices), self._narrow)

    # -- what is done to pairs ---------------------------------------------------------------------
    def action_pair_story(self) -> None:
        """Everything about the highlighted pair."""
        if self.current is not None:
            self.post_message(Requested(ask.ShowPairStory(self.current)))

    def action_edit_pair(self) -> None:
        """A better text for the highlighted pair."""
        if self.current is not None:
            self.post_message(Requested(ask.EditPair(self.current)))

    def action_exclude_pairs(self) -> None:
        """Out of training and check."""
        self._ask(ask.ExcludePairs)

    def action_restore_pairs(self) -> None:
        """In again."""
        self._ask(ask.RestorePairs)

    def action_pin_pairs(self) -> None:
        """A test, or none any more."""
        self._ask(ask.PinPairs)

    def action_tag_pairs(self) -> None:
        """A tag on, or off."""
        self._ask(ask.TagPairs)

    def action_redact_pairs(self) -> None:
        """Without personal data."""
        self._ask(ask.RedactPairs)

    def action_clear_pairs(self) -> None:
        """With its personal data."""
        self._ask(ask.ClearPairs)

    def _ask(self, kind: type[ask.OfPairs]) -> None:
        if targets := self.targets:
            self.post_message(Requested(kind(tuple(targets))))

    def action_forget(self) -> None:
        """Erase what the highlighted pair says."""
        self.post_message(Requested(ask.Forget("pair", self.current)))

    def action_dismiss_dialog(self) -> None:
        """From the words to the list; from the list back to the chat."""
        if self.query_one(Input).has_focus:
            self.rows.focus()
        else:
            self.dismiss(None)
