"""The keys of pairs and their conflicts."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

PAIRS = [
    HELP,
    *DIALOG,
    *bindings(
        "pairs",
        Key("slash", "search", "Search", "Find pairs by words in the question or the answer"),
        Key("f", "filter_pairs", "Filter", "Filter by state, source, side, language, tag or run"),
        Key("space", "mark", "Mark", "Mark this pair; actions apply to all marked pairs"),
        Key("e", "edit_pair", "Edit", "Write a better text; the old one is kept"),
        Key("x", "exclude_pairs", "Exclude", "Keep it out of training and the check, with a reason"),
        Key("r", "restore_pairs", "Restore", "Use an excluded pair again"),
        Key("p", "pin_pairs", "Pin", "Make it a test that never trains, or unpin it"),
        Key("t", "tag_pairs", "Tag", "Add a tag, or remove one with -tag"),
        Key("d", "redact_pairs", "Redact", "Replace personal data by placeholders"),
        Key("k", "clear_pairs", "Clear", "Let it train with the personal data in it"),
        Key("c", "app.conflicts", "Conflicts", "Questions with more than one answer"),
        Key("s", "pair_story", "Story", "Where it comes from and what each version learned from it"),
        Key(
            "delete",
            "forget",
            "Erase",
            "Erase its text from this desk, for good; you see first what will be erased",
            shown=False,
        ),
        Key("a", "mark_all", "Mark all", "Mark all listed pairs, or none", shown=False),
    ),
]

PAIR_STORY = [
    *DIALOG,
    *bindings(
        "pair_story",
        Key("o", "open", "Open", "Open the conversation the pair comes from"),
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
            "Choose the next answer",
            shown=False,
            word="choose_answer-down",
        ),
        Key(
            "left",
            "choose_answer(-1)",
            "Answer before",
            "Choose the previous answer",
            shown=False,
            word="choose_answer-up",
        ),
        Key("k", "keep_answer", "Keep", "Keep the chosen answer, exclude the others"),
        Key("b", "both_are_fine", "Both are fine", "Keep all of the answers"),
        Key("e", "edit_pair", "Edit", "Write a better text for the chosen one"),
    ),
]
