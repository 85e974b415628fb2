"""The keys of the chat, and of what it is made of."""

from __future__ import annotations

from tui.keys.everywhere import HELP
from tui.keys.key import Key, bindings

# Keys that come first: text areas and inputs have other plans for F6, F7, Ctrl+F and some more.
CHAT = [
    HELP,
    *bindings(
        "desk",
        Key("escape", "stop", "Stop", "Stop the reply that is being written"),
        Key("f2", "correct", "Correct", "Write what the marked reply should have said", first=True),
        Key("f3", "approve", "Approve", "Approve the marked reply as it is", first=True),
        Key(
            "alt+w",
            "reject",
            "Wrong",
            "Mark the marked reply as wrong, without saying what is right; it waits in the review for a correction",
            shown=False,
            first=True,
        ),
        Key(
            "ctrl+z",
            "take_back",
            "Undo",
            "Undo what you said of the marked reply, until a retraining has used it; in a text, undo typing",
            shown=False,
        ),
        Key("f4", "again", "Again", "Ask the bot for another answer; the first one is kept", first=True),
        Key("f5", "app.retrain", "Retrain", "Teach the bot what was corrected", first=True),
        Key("f6", "app.training", "Training", "How the retraining is going, or how the last one went", first=True),
        Key("f7", "versions", "Versions", "All versions of the bot; activate one, or roll back", first=True),
        Key("f8", "app.roll_back", "Roll back", "Go back to the previous version", first=True),
        Key("f10", "app.review", "Review", "Judge the replies that nobody has judged yet", first=True),
        Key(
            "ctrl+b,alt+b",
            "app.pairs",
            "Pairs",
            "Everything the bot learns from: find, edit, exclude, pin, tag and redact pairs",
            shown=False,
            first=True,
        ),
        Key(
            "alt+g",
            "app.conflicts",
            "Conflicts",
            "Settle questions that have more than one answer",
            shown=False,
            first=True,
        ),
        Key("ctrl+n", "new", "New", "Start a conversation with another customer", first=True),
        Key("ctrl+f", "search", "Find", "Search everything that was said", first=True),
        Key(
            "ctrl+t",
            "compare",
            "Compare",
            "Compare two versions' answers, or this conversation with another version",
            shown=False,
            first=True,
        ),
        Key("ctrl+d", "details", "Details", "Details of the marked reply", shown=False, first=True),
        Key("alt+t", "who_taught", "Who taught it", "Which pairs taught the bot the marked reply", shown=False),
        Key("f9", "app.settings", "Settings", "The desk's settings", shown=False, first=True),
        Key("ctrl+g", "app.runs", "Runs", "Every run of this desk, and their recipes", shown=False, first=True),
        Key(
            "ctrl+o", "app.import_file", "Import", "Import pairs or conversations from a file", shown=False, first=True
        ),
        Key(
            "ctrl+l",
            "conversations",
            "Conversations",
            "Go to the list of conversations; again, search it",
            shown=False,
            first=True,
        ),
        Key(
            "alt+p",
            "again_otherwise",
            "Again, other preset",
            "Ask the bot for another answer with the other preset",
            shown=False,
        ),
        Key(
            "ctrl+r",
            "resend",
            "Edit and resend",
            "Copy the message, to edit and send it",
            shown=False,
            first=True,
        ),
        Key("ctrl+c", "copy", "Copy", "Copy what is selected, else the marked reply", shown=False),
        Key("alt+c", "copy_code", "Copy code", "Copy the code in the marked reply", shown=False),
        Key("alt+q", "quote", "Quote", "Quote the marked reply in your message", shown=False),
        Key("ctrl+e", "edit_outside", "Editor", "Continue in your editor ($VISUAL)", shown=False, first=True),
        Key(
            "alt+f",
            "show_list",
            "Show",
            "Filter the conversations: all, to review, corrected, failed, mine, today, archived",
            shown=False,
        ),
        Key("alt+r", "screen.rename", "Rename", "Rename the conversation", shown=False),
        Key("alt+a", "screen.archive", "Archive", "Archive the conversation, or put it back", shown=False),
        Key(
            "alt+x",
            "screen.export_conversation",
            "Export conversation",
            "Export the conversation as Markdown or JSON",
            shown=False,
        ),
        Key(
            "alt+e",
            "screen.forget",
            "Erase a person",
            "Erase what a person said, for good; you see first what will be erased",
            shown=False,
        ),
        Key("escape", "write", "Write", "Go back to writing", shown=False),
        Key(
            "ctrl+up",
            "mark(-1)",
            "Reply before",
            "Mark the previous reply; Up does too while the message is empty",
            shown=False,
            first=True,
            word="mark-up",
        ),
        Key(
            "ctrl+down",
            "mark(1)",
            "Reply after",
            "Mark the next reply; Down does too while the message is empty",
            shown=False,
            first=True,
            word="mark-down",
        ),
    ),
]

COMPOSER = bindings(
    "composer",
    Key("enter", "send", "Send", "Send the customer's message", shown=False, first=True),
    Key("ctrl+j,shift+enter", "newline", "New line", "Start a new line", shown=False, first=True),
    Key("alt+up,pageup", "recall(-1)", "Sent before", "The message you sent before", shown=False, word="recall-up"),
    Key(
        "alt+down,pagedown",
        "recall(1)",
        "Sent after",
        "The message you sent after that",
        shown=False,
        word="recall-down",
    ),
)

TRANSCRIPT = bindings(
    "transcript",
    Key("up", "mark(-1)", "Reply before", "Mark the previous reply", shown=False, word="mark-up"),
    Key("down", "mark(1)", "Reply after", "Mark the next reply", shown=False, word="mark-down"),
)

CONVERSATIONS = bindings(
    "conversations",
    Key("slash", "filter", "Filter", "Search the conversations for words", shown=False),
    Key("f", "show_list", "Show", "Filter the conversations", shown=False),
    Key("r", "screen.rename", "Rename", "Rename it", shown=False),
    Key("a", "screen.archive", "Archive", "Archive it, or put it back", shown=False),
    Key("x", "screen.export_conversation", "Export", "Export it to a file", shown=False),
    Key("delete", "screen.forget", "Erase", "Erase it, for good", shown=False),
)
