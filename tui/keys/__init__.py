"""Every key of the app, by the place in which it is in force. A binding's id is what settings and the help refer to."""

from __future__ import annotations

from textual.binding import Binding

from tui.keys.chat import CHAT, COMPOSER, CONVERSATIONS, TRANSCRIPT
from tui.keys.everywhere import APP, DIALOG, HELP, ROWS, SCROLLED, SETTINGS
from tui.keys.judging import BISECT, CORRECTION, DETAILS, REVIEW
from tui.keys.key import Key, key_name
from tui.keys.pairs import CONFLICTS, PAIR_STORY, PAIRS
from tui.keys.runs import PREFLIGHT, RECIPE, RUNS, TRAINING
from tui.keys.versions import COMPARE, HISTORY, REPORT, VERSIONS

# In the order in which docs/keys.md lists them.
PLACES: dict[str, list[Binding]] = {
    "APP": APP,
    "CHAT": CHAT,
    "COMPOSER": COMPOSER,
    "TRANSCRIPT": TRANSCRIPT,
    "CONVERSATIONS": CONVERSATIONS,
    "ROWS": ROWS,
    "DIALOG": DIALOG,
    "SCROLLED": SCROLLED,
    "CORRECTION": CORRECTION,
    "VERSIONS": VERSIONS,
    "TRAINING": TRAINING,
    "RECIPE": RECIPE,
    "RUNS": RUNS,
    "HISTORY": HISTORY,
    "COMPARE": COMPARE,
    "REPORT": REPORT,
    "REVIEW": REVIEW,
    "DETAILS": DETAILS,
    "BISECT": BISECT,
    "PAIRS": PAIRS,
    "PAIR_STORY": PAIR_STORY,
    "CONFLICTS": CONFLICTS,
    "PREFLIGHT": PREFLIGHT,
    "SETTINGS": SETTINGS,
}

# Places that are in force inside another one, whose keys they must leave alone.
WITHIN = {"COMPOSER": "CHAT", "TRANSCRIPT": "CHAT", "CONVERSATIONS": "CHAT", "ROWS": "CHAT"}

__all__ = [
    "APP",
    "BISECT",
    "CHAT",
    "COMPARE",
    "COMPOSER",
    "CONFLICTS",
    "CONVERSATIONS",
    "CORRECTION",
    "DETAILS",
    "DIALOG",
    "HELP",
    "HISTORY",
    "PAIRS",
    "PAIR_STORY",
    "PLACES",
    "PREFLIGHT",
    "RECIPE",
    "REPORT",
    "REVIEW",
    "ROWS",
    "RUNS",
    "SCROLLED",
    "SETTINGS",
    "TRAINING",
    "TRANSCRIPT",
    "VERSIONS",
    "WITHIN",
    "Key",
    "key_name",
]
