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

from store.pairs.listing import ListedPair, PairFilter
from tui.core import DeskService
from tui.core.pair_words import filter_words, history_lines, pair_head, pair_marks, personal_words
from tui.keymap import spoken
from tui.keys import PAIRS
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.rows import Row, Rows
from tui.widgets.text import Plain

NONE = "No pair is like this. {pairs.filter_pairs} changes the filter, {pairs.search} the words."


class PairsScreen(ResultScreen[int | None]):
    """A list of pairs of any length, and the highlighted one beside or below it; returns the reply to be opened in the
    chat, if any. What the keys do to pairs is told in :mod:`tui.flows.pairs`."""

    BINDINGS: ClassVar[list[BindingType]] = list(PAIRS)

    def __init__(self, service: DeskService, wanted: PairFilter | None = None) -> None:
        super().__init__()
        self._service = service
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
    async def follow(self) -> None:
        """Look again: something was changed, here or by somebody else."""
        wanted = self.wanted
        ids = await self._service.reader.read(lambda desk: desk.pair_listing.ids(wanted))
        if self.is_attached and wanted == self.wanted:
            self._ids = ids
            self._marked &= set(ids)
            self._show()

    def forget_marks(self) -> None:
        """What was marked is done."""
        self._marked.clear()

    async def narrow(self, wanted: PairFilter) -> None:
        """Show other pairs; the words stay."""
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
        return {row.pair.id: self._row(row) for row in self._service.desk.pair_listing.rows(numbers)}

    def _row(self, row: ListedPair) -> Row:
        pair = row.pair
        mark = "✓" if pair.id in self._marked else " "
        return Row(f"{pair.instruction} → {pair.output}", pair_marks(row), f"{mark}{pair.id:>6} {pair.source:<11}")

    def _show_details(self) -> None:
        current = self.current
        rows = [] if current is None else self._service.desk.pair_listing.rows([current])
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
        self.run_worker(self.follow(), group="look", exclusive=True)

    def on_key(self, event: Key) -> None:
        """Down and Enter go from the words to what was found."""
        if event.key in ("down", "enter") and self.query_one(Input).has_focus:
            event.stop()
            event.prevent_default()
            self.rows.focus()

    @on(Rows.Selected)
    async def _chosen(self) -> None:
        await self.run_action("app.tell('pair_story')")

    def action_dismiss_dialog(self) -> None:
        """From the words to the list; from the list back to the chat."""
        if self.query_one(Input).has_focus:
            self.rows.focus()
        else:
            self.dismiss(None)
