"""The keys of writing a correction, of the review queue, and of what taught a reply."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP, SCROLLED
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
        Key("w,alt+w", "reject", "Wrong", "The reply is wrong; it stays in the queue until it is corrected"),
        Key("s", "skip", "Skip", "Skip this reply; nobody is asked about it again"),
        Key("u,ctrl+z", "take_back", "Undo", "Undo the last step"),
        Key("o", "order", "Order", "Sort by age, or by how sure the bot was"),
        Key("t", "who_taught", "Who taught it", "Which pairs taught the bot this reply"),
        Key("enter", "open", "Open", "See the reply in its conversation"),
    ),
]

DETAILS = [
    *DIALOG,
    *SCROLLED,
    *bindings("details", Key("t", "who_taught", "Who taught it", "Which pairs taught the bot this reply")),
]

BISECT = [
    HELP,
    *bindings(
        "bisect",
        Key("escape", "leave_or_stop", "Stop or back", "Stop comparing gradients; if nothing is compared, close"),
        Key("g", "compare_gradients", "Gradients", "Find out which of these pairs pull the version to this answer"),
        Key("s", "pair_story", "Story", "Where the pair comes from and what each version learned from it"),
        Key("e", "edit_pair", "Edit", "Write a better text for the pair; the old one is kept"),
        Key("x", "exclude_pairs", "Exclude", "Keep the pair out of training and the check, with a reason"),
        Key("u,ctrl+z", "restore_pairs", "Undo", "Use the excluded pair again"),
    ),
]
