"""How a retraining is going, or went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from finetune.endings import JUDGED, ending_told
from finetune.events import Decided, Done, Evaluated, Judged, Phase, Recorded, Step, WatchedKind, sentence
from finetune.gate.report import GateReport
from store.records import Run
from store.words import PhaseName, RunState
from tui import requests as ask
from tui.core import RunProgress
from tui.core.run_words import bar
from tui.keymap import spoken
from tui.keys import TRAINING
from tui.messages import DeskChanged, Requested
from tui.screens.result import ResultScreen
from tui.widgets.details import Details
from tui.widgets.keybar import KeyBar
from tui.widgets.loss_plot import LossPlot
from tui.widgets.run_log import RunLog
from tui.widgets.text import Plain

SEARCH = "Search in the log; Enter finds, {dialog.dismiss_dialog} leaves"
LOSS_NAMES: dict[WatchedKind, str] = {"held-out": "held out", "validation": "validation"}
PHASES = get_args(PhaseName)


class TrainingScreen(ResultScreen[None]):
    """Phase, bar, loss curve and log of one run. *is_live*: whether it is in progress."""

    BINDINGS: ClassVar[list[BindingType]] = list(TRAINING)
    AUTO_FOCUS = "#run-log"

    def __init__(self, run: Run, entries: Sequence[Recorded], is_live: Callable[[], bool]) -> None:
        super().__init__()
        self._run, self._entries, self._is_live = run, list(entries), is_live
        self._state: RunState = run.state
        self._numbers: dict[str, str] = {}
        self._last: int | None = None  # the entry that was added last; None before there is anything to add it to
        self._report: GateReport | None = None

    def compose(self) -> ComposeResult:
        """How far it is, the curve, and beside or below it the log. The numbers stand in a line, or, where there is
        room, below each other."""
        with Vertical(id="training"):
            yield Plain(f"Run {self._run.id}, by {self._run.created_by}, from {self._run.parent}", classes="title")
            yield Plain(self._run.phase or self._run.state, id="phase")
            yield Plain("", id="bar")
            yield Plain("", id="numbers")
            with Container(classes="sides"):
                yield LossPlot()
                with Vertical(classes="beside"):
                    yield Details(id="number-details")
                    yield RunLog()
                    yield Plain("", id="found")
                    yield Input(placeholder=spoken(self, SEARCH), id="log-search", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Catch up with the run."""
        self.query_one("#log-search").display = False
        self._found("")
        self._last = 0
        for entry in self._entries:
            self.add(entry)

    @on(DeskChanged)
    def _follow(self, event: DeskChanged) -> None:
        """One more event; that a check is over is what somebody who is here waits for."""
        if isinstance(event.change, RunProgress):
            entry = event.change.event
            self.add(entry)
            if isinstance(entry.event, Done) and entry.event.state in JUDGED and self.is_current:
                self.post_message(Requested(ask.ShowVerdict(entry.run_id)))

    def add(self, entry: Recorded) -> None:
        """Take up one more event of the run; one that is there already changes nothing."""
        if entry.run_id != self._run.id or entry.id <= (self._last or 0):
            return
        if self._last is None:
            self._entries.append(entry)
            return
        self._last = entry.id
        match entry.event:
            case Step() as step:
                self._add_step(step)
            case Judged() as judged:
                self._draw_bar(judged.share, judged.place)
            case Done() as done:
                self._end(entry.at, done)
            case Evaluated() as found:
                self.query_one(LossPlot).add_evaluation(found.step, found.loss, found.pairs)
                self._draw_numbers({LOSS_NAMES[found.pairs]: f"{found.loss:.3f}"})
            case Phase(phase):
                self.query_one("#phase", Plain).show(phase_line(phase))
            case Decided(_, report):
                self._report = report
        if (words := sentence(entry.event)) and not isinstance(entry.event, Step | Judged):
            self.query_one(RunLog).add(entry.at, words)

    def _end(self, at: str, done: Done) -> None:
        self._state = done.state
        words = ending_told(done, self._report).sentence
        self.query_one("#phase", Plain).show(words)
        self.query_one("#bar", Plain).show("")
        self.query_one(RunLog).add(at, words)
        self.refresh_bindings()

    def _add_step(self, step: Step) -> None:
        self._draw_bar(step.share, step.place)
        numbers = {}
        if step.loss is not None:
            self.query_one(LossPlot).add(step.step, step.steps, step.loss, step.epoch)
            numbers["loss"] = f"{step.loss:.3f}"
        if step.learning_rate is not None:
            numbers["rate"] = f"{step.learning_rate:.1e}"
        if step.tokens_per_second:
            numbers["tokens/s"] = f"{step.tokens_per_second:.0f}"
        if step.peak_memory_bytes:
            numbers["memory peak"] = f"{step.peak_memory_bytes / 2**30:.1f} GiB"
        self._draw_numbers(numbers)

    def _draw_numbers(self, numbers: dict[str, str]) -> None:
        """Draw these numbers, and beside them those that came before."""
        self._numbers |= numbers
        order = ("loss", *LOSS_NAMES.values(), "rate", "tokens/s", "memory peak")
        found = [(name, self._numbers[name]) for name in order if name in self._numbers]
        self.query_one("#numbers", Plain).show("   ".join(f"{name} {number}" for name, number in found))
        widest = max(len(number) for _, number in found) if found else 0
        self.query_one(Details).show([(name.capitalize(), number.rjust(widest)) for name, number in found])

    def _draw_bar(self, share: float, words: str) -> None:
        self.query_one("#bar", Plain).show(f"{bar(share, 30)} {share:4.0%}  {words}")

    # -- keys --------------------------------------------------------------------------------------
    def action_dismiss_dialog(self) -> None:
        """Back to where one came from; the run goes on. Out of the search first."""
        if self.query_one("#log-search").display:
            self._leave_search()
        else:
            self.dismiss(None)

    def action_cancel_run(self) -> None:
        """Give the run up."""
        self.post_message(Requested(ask.CancelRun()))

    def action_stop_run(self) -> None:
        """Stop the run with a checkpoint."""
        self.post_message(Requested(ask.StopRun()))

    def action_verdict(self) -> None:
        """What the check found."""
        self.post_message(Requested(ask.ShowVerdict(self._run.id)))

    def action_runs(self) -> None:
        """Every run, this one marked."""
        self.post_message(Requested(ask.ShowRuns(self._run.id)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if action in ("cancel_run", "stop_run"):
            return self._is_live()
        return self._state in JUDGED if action == "verdict" else True

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


def phase_line(phase: PhaseName) -> str:
    """The phases of a run in a row, the present one in brackets."""
    return " → ".join(f"[{name}]" if name == phase else name for name in PHASES)
