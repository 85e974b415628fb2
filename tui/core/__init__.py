"""What the app and the command line share: no textual, no torch."""

from tui.core.errors import DeskError
from tui.core.events import (
    DeskChange,
    EngineChanged,
    EngineState,
    MessageKept,
    Notice,
    ReplyDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyJudged,
    ReplyStarted,
    RunProgress,
    SettingsChanged,
    StoreChanged,
    VersionChanged,
)
from tui.core.open_desk import OpenDesk

__all__ = [
    "DeskChange",
    "DeskError",
    "EngineChanged",
    "EngineState",
    "MessageKept",
    "Notice",
    "OpenDesk",
    "ReplyDelta",
    "ReplyEvent",
    "ReplyFinished",
    "ReplyJudged",
    "ReplyStarted",
    "RunProgress",
    "SettingsChanged",
    "StoreChanged",
    "VersionChanged",
]
