"""What is always in view: who answers, how the engine is, what waits for training, and a run in progress."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.core.advice import Advice
from tui.core.facts import StatusFacts
from tui.core.quality import Rate, Standing
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

    def draw(self, facts: StatusFacts) -> None:
        """Draw *facts*."""
        width, engine = self.app.size.width, facts.engine
        self.query_one("#status-desk", Plain).show(f"deskloop · {facts.desk}")
        words = waiting_words(facts.waiting, facts.advice, spoken(self, "{desk.retrain}"), width)
        self.query_one("#status-waiting", Plain).show(words)
        self.query_one("#status-waiting").set_class(facts.waiting > 0, "-waiting")
        self.query_one("#status-rate", Plain).show(rate_words(facts.rate, short=width < NARROWEST))
        self.query_one("#status-rate").display = bool(facts.rate.judged)
        shared = f" · shared by {facts.clients}" if facts.clients > 1 and width >= ROOMY else ""
        self.query_one("#status-engine", Plain).show(f"{facts.version} · {ENGINE.get(engine, engine)}{shared}")
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
    """A line that warns if the active version is wrong more often than the previous one; else not there."""

    def __init__(self) -> None:
        super().__init__("", id="quality-line")
        self.display = False

    def draw(self, standing: Standing) -> None:
        """Warn, or stop warning."""
        self.display = standing.worse
        if standing.worse and standing.before is not None:
            rates = f"{_share(standing.rate)} against {_share(standing.before)}"
            warning = f"! {standing.version} is wrong more often than {standing.previous}: {rates}, beyond chance "
            self.show(warning + spoken(self, f"(p {standing.p:.3f}). {{desk.roll_back}} rolls back."))


class RunLine(Plain):
    """One line about the run in progress, then how it ended; not there if there is nothing to say."""

    def __init__(self) -> None:
        super().__init__("", id="run-line")
        self.display = False

    def draw(self, line: str | None) -> None:
        """Draw *line*, in which ``{desk.training}`` is the key of that action; None: nothing."""
        self.display = line is not None
        if line is not None:
            self.show(spoken(self, line))


def rate_words(rate: Rate, *, short: bool = False) -> str:
    """The share of replies that were corrected or marked as wrong, in few words, or in two."""
    if rate.share is None:
        return ""
    return f"{rate.share:.0%} wrong" if short else f"{_share(rate)} wrong"


def _share(rate: Rate) -> str:
    return f"{rate.share or 0:.0%} of {rate.judged}"
