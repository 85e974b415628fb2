"""What is always in view: who answers, how the engine is, what waits for training, and a run in progress."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from finetune.events import Event
from store.conversations.quality import Rate
from tui.core.advice import Advice
from tui.core.quality import Standing
from tui.core.run_words import RunWords
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
        self._words = RunWords()

    def follow(self, event: Event) -> None:
        """Say what the next event of the run makes of it."""
        self.display = True
        if (line := self._words.line(event)) is not None:
            self.show(spoken(self, line))

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
