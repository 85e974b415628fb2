"""How a retraining is going, or went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from store.records import Run, RunEvent
from tui.core.runs import looked_at
from tui.keymap import spoken
from tui.keys import TRAINING
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.loss_plot import LossPlot
from tui.widgets.run_log import RunLog
from tui.widgets.status import bar, clock, ending
from tui.widgets.text import Plain

SEARCH = "Search in the log; Enter finds, {dialog.dismiss_dialog} leaves"
LOOKS = {"held-out": "held out", "validation": "validation"}  # losses on pairs that are not learned from
PHASES = ("snapshot", "loading", "training", "publishing", "judging")


class TrainingScreen(ResultScreen[None]):
    """Phase, bar, loss curve and log of one run."""

    BINDINGS: ClassVar[list[BindingType]] = list(TRAINING)
    AUTO_FOCUS = "#run-log"

    def __init__(self, run: Run, events: list[RunEvent]) -> None:
        super().__init__()
        self._run, self._events = run, events
        self._numbers: dict[str, str] = {}
        self._last: int | None = None  # the event told last; None before there is anything to tell it on
        self._report: Mapping[str, Any] = {}

    @property
    def run_id(self) -> int:
        """The run that is shown."""
        return self._run.id

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id="training"):
            yield Plain(f"Run {self._run.id}, by {self._run.created_by}, from {self._run.parent}", classes="title")
            yield Plain(self._run.phase or self._run.state, id="phase")
            yield Plain("", id="bar")
            yield Plain("", id="numbers")
            yield LossPlot()
            yield RunLog()
            yield Plain("", id="found")
            yield Input(placeholder=spoken(self, SEARCH), id="log-search", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Tell what was told before."""
        self.query_one("#log-search").display = False
        self._found("")
        self._last = 0
        for event in self._events:
            self.tell(event)

    def tell(self, event: RunEvent) -> None:
        """Show one more event of the run; one that was shown already changes nothing."""
        if event.run_id != self._run.id or event.id <= (self._last or 0):
            return
        if self._last is None:
            self._events.append(event)
            return
        self._last = event.id
        body = event.body
        if event.kind == "step":
            self._step(body)
        elif event.kind == "evaluated":
            self.query_one(LossPlot).add_look(body["step"], body["loss"], looked_at(body))
            self._show_numbers({LOOKS.get(looked_at(body), "held out"): f"{body['loss']:.3f}"})
            self._log(event, str(body["sentence"]))
        elif event.kind == "judged":
            self._show_bar(body["done"] / max(1, body["total"]), f"{body['done']} of {body['total']} answers")
        elif event.kind == "phase":
            self.query_one("#phase", Plain).show(phase_line(str(body["phase"])))
            self._log(event, str(body["sentence"]))
        elif event.kind == "done":
            word = ending(str(body.get("state")), body.get("version"), self._report)
            self.query_one("#phase", Plain).show(f"{word}.")
            self.query_one("#bar", Plain).show("")
            self._log(event, word)
            self.refresh_bindings()
        elif event.kind == "verdict":
            self._report = body
            self._log(event, str(body["sentence"]))
        elif isinstance(sentence := body.get("sentence"), str):
            self._log(event, sentence)

    def _step(self, body: dict[str, Any]) -> None:
        left = "" if body.get("seconds_left") is None else f", {clock(body['seconds_left'])} left"
        self._show_bar(body["step"] / max(1, body["steps"]), f"step {body['step']} of {body['steps']}{left}")
        numbers = {}
        if body.get("loss") is not None:
            self.query_one(LossPlot).add(body["step"], body["steps"], body["loss"], body.get("epoch"))
            numbers["loss"] = f"{body['loss']:.3f}"
        if body.get("learning_rate") is not None:
            numbers["rate"] = f"{body['learning_rate']:.1e}"
        if body.get("tokens_per_second"):
            numbers["tokens/s"] = f"{body['tokens_per_second']:.0f}"
        if body.get("peak_memory_bytes"):
            numbers["memory peak"] = f"{body['peak_memory_bytes'] / 2**30:.1f} GiB"
        self._show_numbers(numbers)

    def _show_numbers(self, numbers: dict[str, str]) -> None:
        """Show these numbers, and beside them those that were told before."""
        self._numbers |= numbers
        order = ("loss", *LOOKS.values(), "rate", "tokens/s", "memory peak")
        words = [f"{name} {self._numbers[name]}" for name in order if name in self._numbers]
        self.query_one("#numbers", Plain).show("   ".join(words))

    def _show_bar(self, share: float, words: str) -> None:
        self.query_one("#bar", Plain).show(f"{bar(share, 30)} {share:4.0%}  {words}")

    def _log(self, event: RunEvent, sentence: str) -> None:
        self.query_one(RunLog).add(event.at, sentence)

    # -- keys --------------------------------------------------------------------------------------
    def action_dismiss_dialog(self) -> None:
        """Back to where one came from; the run goes on. Out of the search first."""
        if self.query_one("#log-search").display:
            self._leave_search()
        else:
            self.dismiss(None)

    def action_search_log(self) -> None:
        """Search in the log."""
        search = self.query_one("#log-search", Input)
        search.display = True
        search.focus()

    def action_find(self, by: int) -> None:
        """The next line that was searched for, or the one before."""
        self._found(self.query_one(RunLog).find(by))

    @on(Input.Submitted, "#log-search")
    def _search(self, event: Input.Submitted) -> None:
        self._found(self.query_one(RunLog).search(event.value) if event.value.strip() else "")
        self._leave_search()

    def _leave_search(self) -> None:
        self.query_one("#log-search").display = False
        self.query_one(RunLog).focus()

    def _found(self, words: str) -> None:
        line = self.query_one("#found", Plain)
        line.display = bool(words)
        line.show(words)


def phase_line(phase: str) -> str:
    """The phases of a run in a row, the present one in brackets."""
    return " → ".join(f"[{name}]" if name == phase else name for name in PHASES)
