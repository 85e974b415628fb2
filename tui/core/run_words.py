"""How a run is going and how it ended, in a line."""

from __future__ import annotations

from finetune.endings import ending_told
from finetune.events import Decided, Done, Event, Fitted, Judged, Note, Phase, Step, sentence
from finetune.gate.report import GateReport


class RunWords:
    """The line about a run, event by event."""

    def __init__(self) -> None:
        self._report: GateReport | None = None

    def line(self, event: Event) -> str | None:
        """What *event* makes of the line; None: it stays. ``{desk.training}`` in it is a key."""
        match event:
            case Phase() | Note() | Fitted():
                return f"Retraining: {sentence(event)}"
            case Step():
                return f"Retraining {bar(event.share, 5)} {sentence(event)}"
            case Judged():
                return f"Checking {event.version} {bar(event.share, 12)} {event.place}"
            case Decided(_, report):
                self._report = report
            case Done():
                return f"{ending_told(event, self._report).sentence} {{desk.training}} shows how it went."
        return None


def bar(share: float, width: int) -> str:
    """A bar of *width* characters, filled by *share* (0 to 1), to the eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width, "░")
