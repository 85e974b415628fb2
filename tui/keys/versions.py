"""The keys of versions, their history, reports and comparisons."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

VERSIONS = [
    HELP,
    *DIALOG,
    *bindings(
        "versions",
        Key("enter,a", "activate", "Activate", "Activate the marked version"),
        Key("v", "report", "Report", "What the check found about the marked version"),
        Key("s", "shadow", "Try unseen", "Let the marked version answer real questions too, unseen; again: stop"),
        Key("h", "app.history", "History", "Charts of all versions"),
        Key("c", "compare", "Compare", "Compare two versions' answers side by side"),
        Key("f8,r", "app.roll_back", "Roll back", "Go back to the previous version"),
    ),
]

HISTORY = [HELP, *DIALOG]

COMPARE = [
    HELP,
    *bindings(
        "compare",
        Key("escape", "leave_or_stop", "Stop or back", "Stop the comparison; if none is running, close"),
        Key("left,l", "prefer_left", "Left", "The left answer is better"),
        Key("right,r", "prefer_right", "Right", "The right answer is better"),
        Key("b", "prefer_both", "Both", "Both answers are good"),
        Key("n", "prefer_neither", "Neither", "Neither answer is good"),
        Key("enter,space", "turn(1)", "Next", "The next question", word="turn-down"),
        Key("backspace", "turn(-1)", "Question before", "The previous question", shown=False, word="turn-up"),
        Key("up", "scroll_sides(-1)", "Up", "Scroll both answers up", shown=False, word="scroll_sides-up"),
        Key("down", "scroll_sides(1)", "Down", "Scroll both answers down", shown=False, word="scroll_sides-down"),
    ),
]

REPORT = [
    HELP,
    *DIALOG,
    *bindings(
        "report",
        Key("right", "turn(1)", "Next tab", "Numbers, corrections, answers", shown=False, word="turn-down"),
        Key("left", "turn(-1)", "Tab before", "Numbers, corrections, answers", shown=False, word="turn-up"),
        Key("f", "filter", "Filter", "Show all answers, the changed, the worse or the better ones"),
        Key("u", "override", "Use it anyway", "Let the new version answer, with a reason"),
        Key("s", "shadow", "Try unseen", "Let the new version answer real questions too, unseen; again: stop"),
    ),
]
