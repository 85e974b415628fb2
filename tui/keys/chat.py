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
            "ctrl+z",
            "take_back",
            "Undo",
            "Undo the judgement of the marked reply, until a retraining has used it; in a text, undo the typing",
            shown=False,
        ),
        Key("f4", "again", "Again", "Let the bot answer once more; the reply that is there stays", first=True),
        Key("f5", "app.retrain", "Retrain", "Teach the bot what was corrected", first=True),
        Key("f6", "app.training", "Training", "How the retraining is going, or how the last one went", first=True),
        Key("f7", "versions", "Versions", "Every version of the bot; activate one, or roll back", first=True),
        Key("f8", "app.roll_back", "Roll back", "Let the version before this one answer again", first=True),
        Key("f10", "app.review", "Review", "Judge the replies that nobody has judged yet", first=True),
        Key(
            "ctrl+b,alt+b",
            "app.pairs",
            "Pairs",
            "What the bot learns from: find pairs, edit, exclude, pin, tag and redact them",
            shown=False,
            first=True,
        ),
        Key(
            "alt+g",
            "app.conflicts",
            "Conflicts",
            "Settle questions with more than one answer before the bot learns them",
            shown=False,
            first=True,
        ),
        Key("ctrl+n", "new", "New", "Begin a conversation with another customer", first=True),
        Key("ctrl+f", "search", "Find", "Search everything that was said", first=True),
        Key(
            "ctrl+t",
            "compare",
            "Compare",
            "Compare two versions' answers, or this conversation with another version",
            shown=False,
            first=True,
        ),
        Key("ctrl+d", "details", "Details", "How the marked reply came to be", shown=False, first=True),
        Key("f9", "app.settings", "Settings", "The desk's settings", shown=False, first=True),
        Key("ctrl+g", "app.runs", "Runs", "Every run of this desk, and their recipes", shown=False, first=True),
        Key(
            "ctrl+o", "app.import_file", "Import", "Import pairs or conversations from a file", shown=False, first=True
        ),
        Key(
            "ctrl+l",
            "conversations",
            "Conversations",
            "Go to the list of conversations; once more, search it",
            shown=False,
            first=True,
        ),
        Key(
            "alt+p",
            "again_otherwise",
            "Again, other preset",
            "Let the bot answer once more with the other decoding preset",
            shown=False,
        ),
        Key(
            "ctrl+r",
            "resend",
            "Edit and resend",
            "Take a copy of the message to edit and send",
            shown=False,
            first=True,
        ),
        Key("ctrl+c", "copy", "Copy", "Copy what is selected, else the marked reply", shown=False),
        Key("alt+c", "copy_code", "Copy code", "Copy the code in the marked reply", shown=False),
        Key("alt+q", "quote", "Quote", "Quote the marked reply in what you write", shown=False),
        Key("ctrl+e", "edit_outside", "Editor", "Write on in the editor that $VISUAL names", shown=False, first=True),
        Key(
            "alt+f",
            "show_list",
            "Show",
            "Which conversations are listed: all, those to review, corrected, failed, mine, of today, archived",
            shown=False,
        ),
        Key("alt+r", "screen.rename", "Rename", "Give the conversation another title", shown=False),
        Key("alt+a", "screen.archive", "Archive", "Take the conversation out of the list, or put it back", shown=False),
        Key(
            "alt+x",
            "screen.export_conversation",
            "Export conversation",
            "Write the conversation to a file, as Markdown or JSON",
            shown=False,
        ),
        Key(
            "alt+e",
            "screen.forget",
            "Erase a person",
            "Take what a person said out of this desk, for good; first you are shown what will be done",
            shown=False,
        ),
        Key("escape", "write", "Write", "Go back to writing", shown=False),
        Key(
            "ctrl+up",
            "mark(-1)",
            "Reply before",
            "Mark the reply before; Up does so if nothing is written",
            shown=False,
            first=True,
            word="mark-up",
        ),
        Key(
            "ctrl+down",
            "mark(1)",
            "Reply after",
            "Mark the reply after; Down does so if nothing is written",
            shown=False,
            first=True,
            word="mark-down",
        ),
    ),
]

COMPOSER = bindings(
    "composer",
    Key("enter", "send", "Send", "Send the customer's message", shown=False, first=True),
    Key("ctrl+j,shift+enter", "newline", "New line", "Begin a new line", shown=False, first=True),
    Key("alt+up,pageup", "recall(-1)", "Sent before", "What you sent before", shown=False, word="recall-up"),
    Key("alt+down,pagedown", "recall(1)", "Sent after", "What you sent after that", shown=False, word="recall-down"),
)

TRANSCRIPT = bindings(
    "transcript",
    Key("up", "mark(-1)", "Reply before", "Mark the reply before", shown=False, word="mark-up"),
    Key("down", "mark(1)", "Reply after", "Mark the reply after", shown=False, word="mark-down"),
)

CONVERSATIONS = bindings(
    "conversations",
    Key("slash", "filter", "Filter", "Search the conversations by words that were said", shown=False),
    Key("f", "show_list", "Show", "Which conversations are listed", shown=False),
    Key("r", "screen.rename", "Rename", "Give it another title", shown=False),
    Key("a", "screen.archive", "Archive", "Off the list, or back into it", shown=False),
    Key("x", "screen.export_conversation", "Export", "Write it to a file", shown=False),
    Key("delete", "screen.forget", "Erase", "Take it out of this desk, for good", shown=False),
)
