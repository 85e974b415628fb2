"""What is always in view: who answers, how the engine is, what waits for training, and a run in progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal

from store.conversations.quality import Rate
from store.records import RunEvent
from tui.core.advice import Advice
from tui.core.quality import Standing
from tui.core.reports import held_because
from tui.keymap import spoken
from tui.widgets.text import Plain

ROOMY = 130  # columns from which the status line says how long a retraining takes
NARROWEST = 80  # columns below which the status line says less
ENGINE = {
    "absent": "no model",
    "starting": "loading the model…",
    "ready": "ready",
    "busy": "writing…",
    "restarting": "restarting…",
    "failed": "stopped",
    "comparing": "comparing…",
    "lent": "waits for the retraining",
}
ENDINGS = {
    "promoted": "{version} passed the check and answers now",
    "held": "{version} is held: {why}",
    "rejected": "{version} was rejected; what answered before goes on answering",
    "cancelled": "The retraining was cancelled; nothing changed",
    "interrupted": "The retraining was interrupted; nothing was lost",
    "failed": "The retraining failed; nothing changed",
}


class StatusBar(Horizontal):
    """One line at the top."""

    def compose(self) -> ComposeResult:
        """Left: the desk; right: engine and version; in the middle what waits."""
        yield Plain("deskloop", id="status-desk")
        yield Plain("", id="status-waiting")
        yield Plain("", id="status-rate")
        yield Plain("", id="status-engine")

    def show(
        self, *, desk: str, version: str, engine: str, waiting: int, advice: Advice, retrain_key: str, rate: Rate
    ) -> None:
        """Show these facts."""
        self.query_one("#status-desk", Plain).show(f"deskloop · {desk}")
        words = waiting_words(waiting, advice, retrain_key, self.app.size.width)
        self.query_one("#status-waiting", Plain).show(words)
        self.query_one("#status-waiting").set_class(waiting > 0, "-waiting")
        self.query_one("#status-rate", Plain).show(rate_words(rate, short=self.app.size.width < NARROWEST))
        self.query_one("#status-rate").display = bool(rate.judged)
        self.query_one("#status-engine", Plain).show(f"{version} · {ENGINE.get(engine, engine)}")
        self.query_one("#status-engine").set_class(engine in ("failed", "absent"), "-trouble")


def waiting_words(waiting: int, advice: Advice, key: str, width: int) -> str:
    """What waits; on a screen of *width* columns with room for it how long learning it takes; and the key, if it is
    worth a retraining."""
    words = "1 correction waiting" if waiting == 1 else f"{waiting} corrections waiting"
    if not waiting or advice.new != waiting:  # not looked up yet
        return words
    worth_it = advice.worth_it()
    if width >= ROOMY:
        return f"{words}, about {advice.minutes} min to learn" + (f": {key} is worth it" if worth_it else "")
    if not worth_it:
        return words
    return f"{words}: {key}" if width >= NARROWEST else f"{waiting} waiting: {key}"


class QualityLine(Plain):
    """One line that warns if the version that answers is corrected more than the one before it; else not there."""

    def __init__(self) -> None:
        super().__init__("", id="quality-line")
        self.display = False

    def tell(self, standing: Standing, key: str) -> None:
        """Warn, or stop warning; *key* rolls back."""
        self.display = standing.worse
        if standing.worse and standing.before is not None:
            self.show(
                f"! {standing.version} is corrected more than {standing.previous}: {_share(standing.rate)} against "
                f"{_share(standing.before)}, not by chance (p {standing.p:.3f}). {key} rolls back."
            )


class RunLine(Plain):
    """One line about the run in progress, then how it ended; not there if there is nothing to say."""

    def __init__(self) -> None:
        super().__init__("", id="run-line")
        self.display = False
        self._report: Mapping[str, Any] = {}

    def tell(self, event: RunEvent) -> None:
        """Show an event of the run."""
        kind, body = event.kind, event.body
        self.display = True
        if kind in ("phase", "note", "fitted"):
            self.show(f"Retraining: {body['sentence']}")
        elif kind == "step":
            self.show(f"Retraining {bar(body['step'] / max(1, body['steps']), 5)} {step_words(body)}")
        elif kind == "judged":
            share = body["done"] / max(1, body["total"])
            self.show(f"Checking {body['version']} {bar(share, 12)} {body['done']} of {body['total']} answers")
        elif kind == "verdict":
            self._report = body
        elif kind == "done":
            self.show(
                ending(str(body.get("state")), body.get("version"), self._report)
                + spoken(self, ". {desk.training} shows how it went.")
            )

    def hide(self) -> None:
        """The operator has seen it."""
        self.display = False


def rate_words(rate: Rate, *, short: bool = False) -> str:
    """A correction rate in few words, or in two."""
    if rate.share is None:
        return ""
    return f"{rate.share:.0%} corrected" if short else f"{_share(rate)} corrected"


def _share(rate: Rate) -> str:
    return f"{rate.share or 0:.0%} of {rate.judged}"


def ending(state: str, version: str | None, report: Mapping[str, Any]) -> str:
    """How a run ended, in words. *report*: what its check found, as far as it got."""
    return ENDINGS.get(state, f"The run is {state}").format(version=version, why=held_because(report))


def bar(share: float, width: int) -> str:
    """A bar of *width* characters, filled by *share* (0 to 1), to the eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width, "░")


def step_words(body: dict[str, Any]) -> str:
    """How far, how well, how long still."""
    parts = [f"step {body['step']} of {body['steps']}"]
    if body.get("loss") is not None:
        parts.append(f"loss {body['loss']:.2f}")
    if body.get("seconds_left") is not None:
        parts.append(f"{clock(body['seconds_left'])} left")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
