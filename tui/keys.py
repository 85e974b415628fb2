"""Every key of the app, in one place. A binding's id is what settings and the help refer to."""

from __future__ import annotations

from textual.binding import Binding


def key(
    keys: str, action: str, name: str, tooltip: str, *, show: bool = True, priority: bool = False, group: str = "desk"
) -> Binding:
    """A binding whose id is its group and action."""
    return Binding(
        keys,
        action,
        name,
        tooltip=tooltip,
        show=show,
        priority=priority,
        id=f"{group}.{action.split('(')[0].removeprefix('screen.').removeprefix('app.')}",
    )


APP = [
    key("f1", "help", "Help", "What the keys do where you are", priority=True, group="app"),
    key("ctrl+q", "leave", "Quit", "Leave the app", show=False, priority=True, group="app"),
]

CHAT = [
    key("f2", "correct", "Correct", "Write what the marked reply should have said"),
    key("f3", "approve", "Approve", "Keep your word that the marked reply was good as it stood"),
    key("f4", "again", "Again", "Let the bot answer once more; the reply that is there stays"),
    key("f5", "retrain", "Retrain", "Teach the bot what was corrected"),
    key("f6", "training", "Training", "How the retraining is going"),
    key("f7", "versions", "Versions", "Every version of the bot; activate one, or roll back"),
    key("f8", "roll_back", "Roll back", "Let the version before this one answer again"),
    key("f9", "settings", "Settings", "The desk's settings", show=False),
    key("ctrl+n", "new", "New", "Begin a conversation with another customer"),
    key("ctrl+f", "search", "Find", "Search everything that was said"),
    key("ctrl+o", "import_file", "Import", "Import pairs or conversations from a file", show=False),
    key("ctrl+up", "mark(-1)", "Reply before", "Mark the reply before", show=False),
    key("ctrl+down", "mark(1)", "Reply after", "Mark the reply after", show=False),
    key("ctrl+l", "conversations", "Conversations", "Go to the list of conversations", show=False),
    key("escape", "stop", "Stop", "Stop the reply that is being written"),
]

COMPOSER = [
    key("enter", "send", "Send", "Send the customer's message", show=False, priority=True, group="composer"),
    key("shift+enter,ctrl+j", "newline", "New line", "Begin a new line", show=False, priority=True, group="composer"),
]

DIALOG = [key("escape", "dismiss_dialog", "Back", "Leave without changing anything", group="dialog")]

CORRECTION = [
    *DIALOG,
    key("ctrl+s,f2", "save", "Save", "Keep the correction", priority=True, group="correction"),
]

VERSIONS = [
    *DIALOG,
    key("enter,a", "activate", "Activate", "Let the marked version answer", group="versions"),
    key("r,f8", "roll_back", "Roll back", "Let the version before this one answer again", group="versions"),
]

TRAINING = [
    *DIALOG,
    key("x", "cancel_run", "Cancel the run", "Give the retraining up; what answers now goes on", group="training"),
    key("v", "verdict", "Verdict", "What the check found", group="training"),
]
