"""The keys of writing a correction and of the review queue."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

CORRECTION = [
    *DIALOG,
    *bindings(
        "correction",
        Key("ctrl+s,f2", "save", "Save", "Keep the correction", first=True),
    ),
]

REVIEW = [
    HELP,
    *DIALOG,
    *bindings(
        "review",
        Key("a,f3", "approve", "Approve", "The reply is good as it stands"),
        Key("c,f2", "correct", "Correct", "Write what the reply should have said"),
        Key("s", "skip", "Skip", "Pass over this reply; nobody is asked about it again"),
        Key("u,ctrl+z", "take_back", "Undo", "Take back what was done here last"),
        Key("o", "order", "Order", "The oldest first, or the least certain first"),
        Key("enter", "open", "Open", "See the reply in its conversation"),
    ),
]
