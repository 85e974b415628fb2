"""How a retraining is going."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Log

from store.records import Run, RunEvent
from store.text import clean
from tui.keys import TRAINING
from tui.widgets.keybar import KeyBar
from tui.widgets.loss_plot import LossPlot
from tui.widgets.status import bar, clock, ending
from tui.widgets.text import Plain

PHASES = ("snapshot", "loading", "training", "publishing", "judging")


class TrainingScreen(Screen[None]):
    """Phase, bar, loss curve and log of one run."""

    BINDINGS: ClassVar[list[BindingType]] = list(TRAINING)

    def __init__(self, run: Run, events: list[RunEvent]) -> None:
        super().__init__()
        self._run, self._events = run, events

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id="training"):
            yield Plain(
                f"Run {self._run.id}, by {self._run.created_by}, from {self._run.parent}", classes="dialog-title"
            )
            yield Plain(self._run.phase or self._run.state, id="phase")
            yield Plain("", id="bar")
            yield Plain("", id="numbers")
            yield LossPlot()
            yield Log(id="run-log", highlight=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Tell what was told before."""
        for event in self._events:
            self.tell(event)

    def tell(self, event: RunEvent) -> None:
        """Show one more event of the run."""
        if event.run_id != self._run.id:
            return
        body = event.body
        if event.kind == "step":
            self._step(body)
        elif event.kind == "judged":
            self._show_bar(body["done"] / max(1, body["total"]), f"{body['done']} of {body['total']} answers")
        elif event.kind == "phase":
            self.query_one("#phase", Plain).show(phase_line(str(body["phase"])))
            self._log(event, str(body["sentence"]))
        elif event.kind == "done":
            word = ending(str(body.get("state")), body.get("version"))
            self.query_one("#phase", Plain).show(f"{word}.")
            self.query_one("#bar", Plain).show("")
            self._log(event, word)
            self.refresh_bindings()
        elif isinstance(sentence := body.get("sentence"), str):
            self._log(event, sentence)

    def _step(self, body: dict[str, Any]) -> None:
        left = "" if body.get("seconds_left") is None else f", {clock(body['seconds_left'])} left"
        self._show_bar(body["step"] / max(1, body["steps"]), f"step {body['step']} of {body['steps']}{left}")
        if body.get("loss") is not None:
            self.query_one(LossPlot).add(body["step"], body["steps"], body["loss"])
        numbers = [
            f"{name} {body[key]:{form}}"
            for name, key, form in (("loss", "loss", ".3f"), ("rate", "learning_rate", ".1e"))
            if body.get(key) is not None
        ]
        if body.get("tokens_per_second"):
            numbers.append(f"{body['tokens_per_second']:.0f} tokens/s")
        if body.get("peak_memory_bytes"):
            numbers.append(f"{body['peak_memory_bytes'] / 2**30:.1f} GiB at most")
        self.query_one("#numbers", Plain).show("   ".join(numbers))

    def _show_bar(self, share: float, words: str) -> None:
        self.query_one("#bar", Plain).show(f"{bar(share, 30)} {share:4.0%}  {words}")

    def _log(self, event: RunEvent, sentence: str) -> None:
        self.query_one(Log).write_line(f"{event.at[11:19]} {' '.join(clean(sentence).split())}")

    # -- keys --------------------------------------------------------------------------------------
    def action_dismiss_dialog(self) -> None:
        """Back to the chat; the run goes on."""
        self.dismiss(None)


def phase_line(phase: str) -> str:
    """The phases of a run in a row, the present one in brackets."""
    return " → ".join(f"[{name}]" if name == phase else name for name in PHASES)
