"""The keys of pairs and their conflicts."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

PAIRS = [
    HELP,
    *DIALOG,
    *bindings(
        "pairs",
        Key("slash", "search", "Search", "Find pairs by words in question or answer"),
        Key("f", "filter_pairs", "Filter", "By state, source, side, language, tag or run"),
        Key("space", "mark", "Mark", "Mark this pair; what you do then is done to all that are marked"),
        Key("e", "edit_pair", "Edit", "Write a better text; the old one is kept"),
        Key("x", "exclude_pairs", "Exclude", "Keep it out of training and check, with why"),
        Key("r", "restore_pairs", "Restore", "Take what was excluded in again"),
        Key("p", "pin_pairs", "Pin", "Make it a test that never trains, or take the pin away"),
        Key("t", "tag_pairs", "Tag", "Put a tag on it, or with -tag take one off"),
        Key("d", "redact_pairs", "Redact", "Placeholders in the place of personal data"),
        Key("k", "clear_pairs", "Clear", "It may train with the personal data in it"),
        Key("c", "app.conflicts", "Conflicts", "Questions with more than one answer"),
        Key("s", "pair_story", "Story", "Where it comes from and what was learned of it"),
        Key(
            "delete",
            "forget",
            "Erase",
            "Take what it says out of this desk, for good; first you are shown what will be done",
            shown=False,
        ),
        Key("a", "mark_all", "Mark all", "Mark everything that is listed, or nothing", shown=False),
    ),
]

PAIR_STORY = [
    *DIALOG,
    *bindings(
        "pair_story",
        Key("o", "open", "Open", "Open the conversation the pair came of"),
    ),
]

CONFLICTS = [
    HELP,
    *DIALOG,
    *bindings(
        "conflicts",
        Key(
            "right",
            "choose_answer(1)",
            "Answer after",
            "Choose the answer after",
            shown=False,
            word="choose_answer-down",
        ),
        Key(
            "left",
            "choose_answer(-1)",
            "Answer before",
            "Choose the answer before",
            shown=False,
            word="choose_answer-up",
        ),
        Key("k", "keep_answer", "Keep", "The chosen answer stands, the others go"),
        Key("b", "both_are_fine", "Both are fine", "All of them may stand side by side"),
        Key("e", "edit_pair", "Edit", "Write a better text for the chosen one"),
    ),
]
