"""The keys of writing a correction and of the review queue."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

CORRECTION = [
    *DIALOG,
    *bindings(
        "correction",
        Key("ctrl+s,f2", "save", "Save", "Save the correction", first=True),
    ),
]

REVIEW = [
    HELP,
    *DIALOG,
    *bindings(
        "review",
        Key("a,f3", "approve", "Approve", "The reply is good as it is"),
        Key("c,f2", "correct", "Correct", "Write what the reply should have said"),
        Key("s", "skip", "Skip", "Skip this reply; nobody is asked about it again"),
        Key("u,ctrl+z", "take_back", "Undo", "Undo the last step"),
        Key("o", "order", "Order", "Sort by age, or by how sure the bot was"),
        Key("enter", "open", "Open", "See the reply in its conversation"),
    ),
]
