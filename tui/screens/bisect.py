"""Who taught this? The pairs that most likely taught the bot a reply, by words and by gradients, to be put right."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.worker import Worker

from store.errors import OperatorError
from tui import requests as ask
from tui.core import StoreChanged
from tui.core.nearest import Near, Said, why
from tui.core.open_desk import OpenDesk
from tui.core.pair_words import history_lines, pair_head, pair_marks
from tui.core.run_words import bar
from tui.keymap import spoken
from tui.keys import BISECT
from tui.messages import DeskChanged, PairsChanged, Requested
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.rows import Row, Rows
from tui.widgets.text import Plain

BY_WORDS = "By words. {bisect.compare_gradients} compares gradients too, which takes up to a minute."
BY_GRADIENTS = "By gradients: pairs near 100 pull {0} to this answer most."
SIZE = 12  # columns of the progress


class BisectScreen(ResultScreen[None]):
    """A list of pairs, the most suspicious first, and the highlighted one beside or below it."""

    BINDINGS: ClassVar[list[BindingType]] = list(BISECT)

    def __init__(self, desk: OpenDesk, said: Said, found: Sequence[Near]) -> None:
        super().__init__()
        self._desk, self._said = desk, said
        self._found = {near.row.pair.id: near for near in found}  # in the order in which they are listed
        self._comparing: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """What was said, the list, the highlighted pair, keys."""
        with Vertical(id="bisect"):
            yield Plain(f"Who taught {self._said.version} this?", classes="title")
            yield Plain(f"Customer: {_line(self._said.question)}", id="bisect-question")
            yield Plain(f"Bot: {_line(self._said.answer)}", id="bisect-answer")
            yield Plain(spoken(self, BY_WORDS), id="bisect-word", classes="detail")
            with Container(classes="sides"):
                yield Rows(id="bisect-list")
                with VerticalScroll(id="bisect-details", classes="beside", can_focus=False):
                    yield Plain("", id="bisect-head", classes="who")
                    yield Plain("", id="bisect-why", classes="sentence")
                    yield Plain("", id="bisect-pair")
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin with the first."""
        self.rows.focus()
        self.watch(self.rows, "highlighted", self._show_details, init=False)
        self._list(next(iter(self._found), None))

    @property
    def rows(self) -> Rows:
        """The list."""
        return self.query_one(Rows)

    @property
    def current(self) -> Near | None:
        """The highlighted pair."""
        return None if self.rows.number is None else self._found.get(self.rows.number)

    # -- showing -----------------------------------------------------------------------------------
    def _list(self, at: int | None) -> None:
        self.rows.show(list(self._found), self._fetch, at)
        self._show_details()

    def _fetch(self, numbers: Sequence[int]) -> Mapping[int, Row]:
        return {number: _row(near) for number in numbers if (near := self._found.get(number)) is not None}

    def _show_details(self) -> None:
        near = self.current
        pair = near.row.pair if near is not None else None
        before = [*history_lines(pair), ""] if pair is not None and pair.history else []
        text = "\n".join([*before, "Customer", pair.instruction, "", "Answer", pair.output]) if pair else ""
        self.query_one("#bisect-head", Plain).show(pair_head(near.row) if near else "")
        self.query_one("#bisect-why", Plain).show(why(near, self._said.version) if near else "")
        self.query_one("#bisect-pair", Plain).show(text)
        self.query_one("#bisect-details", VerticalScroll).scroll_home(animate=False)
        self.refresh_bindings()

    @on(PairsChanged)
    @on(DeskChanged)
    def _follow(self, event: PairsChanged | DeskChanged) -> None:
        """What became of the pairs, here or by somebody else."""
        if isinstance(event, PairsChanged) or isinstance(event.change, StoreChanged):
            rows = {row.pair.id: row for row in self._desk.pairs.rows(list(self._found))}
            self._found = {
                number: replace(near, row=rows[number]) for number, near in self._found.items() if number in rows
            }
            current = self.rows.number
            self._list(current if current in self._found else next(iter(self._found), None))

    # -- gradients ---------------------------------------------------------------------------------
    def action_compare_gradients(self) -> None:
        """Compare the gradients of all that are listed."""
        if not self.comparing:
            self._comparing = self.run_worker(self._compare(), name="gradients", exit_on_error=False)
            self.refresh_bindings()

    @property
    def comparing(self) -> bool:
        """Whether gradients are being compared."""
        return self._comparing is not None and self._comparing.is_running

    async def _compare(self) -> None:
        said, found = self._said, list(self._found.values())
        word = self.query_one("#bisect-word", Plain)
        word.show(f"Loading {said.version} to compare gradients…")

        def done(count: int) -> None:
            word.show(f"Comparing gradients {bar(count / len(found), SIZE)} {count} of {len(found)}")

        try:
            compared = await self._desk.bisect.gradients(said, found, done)
        except OperatorError as error:
            word.show(error.sentence)
        except asyncio.CancelledError:
            if self.is_attached:
                word.show(f"You stopped it. {spoken(self, BY_WORDS)}")
            raise
        else:
            word.show(BY_GRADIENTS.format(said.version))
            rows = {number: near.row for number, near in self._found.items()}  # some were changed meanwhile
            self._found = {n: replace(near, row=rows[n]) for near in compared if (n := near.row.pair.id) in rows}
            self._list(next(iter(self._found), None))
        finally:
            self._comparing = None
            if self.is_attached:
                self.refresh_bindings()

    def action_leave_or_stop(self) -> None:
        """Stop comparing; if nothing is compared, leave."""
        if self._comparing is not None:
            self._comparing.cancel()
        else:
            self.dismiss(None)

    # -- what is done to the pair ------------------------------------------------------------------
    @on(Rows.Selected)
    def _chosen(self) -> None:
        self.action_pair_story()

    def action_pair_story(self) -> None:
        """Everything about the highlighted pair."""
        self._ask(ask.ShowPairStory)

    def action_edit_pair(self) -> None:
        """A better text for it."""
        self._ask(ask.EditPair)

    def _ask(self, kind: type[ask.OfPair]) -> None:
        if self.rows.number is not None:
            self.post_message(Requested(kind(self.rows.number)))

    def action_exclude_pairs(self) -> None:
        """Out of training and check."""
        if self.rows.number is not None:
            self.post_message(Requested(ask.ExcludePairs((self.rows.number,))))

    def action_restore_pairs(self) -> None:
        """In again."""
        if self.rows.number is not None:
            self.post_message(Requested(ask.RestorePairs((self.rows.number,))))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if not self.is_mounted:
            return True
        near = self.current
        match action:
            case "compare_gradients":
                return bool(self._found) and not self.comparing
            case "pair_story" | "edit_pair":
                return near is not None
            case "exclude_pairs":
                return near is not None and near.row.pair.excluded_at is None
            case "restore_pairs":
                return near is not None and near.row.pair.excluded_at is not None
        return True


def _row(near: Near) -> Row:
    """Why in columns, then the pair."""
    pair, likeness = near.row.pair, near.likeness
    pull = "" if near.gradient is None else f"{100 * near.gradient:.0f}"
    head = f"{pull:>4} {likeness.question:3.0f}% {likeness.answer:3.0f}% {pair.id:>6} "
    return Row(f"{pair.instruction} → {pair.output}", pair_marks(near.row), head)


def _line(text: str) -> str:
    return " ".join(text.split())
