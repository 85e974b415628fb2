"""Every key of the app, in one place. A binding's id is what settings and the help refer to."""

from __future__ import annotations

import re

from textual.binding import Binding

# What a terminal can't draw as one character, or draws as one nobody can name.
NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "up": "Up",
    "down": "Down",
    "slash": "/",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "question_mark": "?",
    "space": "Space",
    "full_stop": ".",
    "comma": ",",
    "backspace": "Backspace",
}


def key(
    keys: str, action: str, name: str, tooltip: str, *, show: bool = True, priority: bool = False, group: str = "desk"
) -> Binding:
    """A binding whose id is its group and action: ``desk.correct``, ``desk.retrain`` (for ``app.tell('retrain')``)."""
    told = re.search(r"tell\('(\w+)'\)", action)
    word = told.group(1) if told else re.sub(r"^(app|screen)\.|\(.*$", "", action)
    if (number := re.search(r"\((-?\d+)\)", action)) is not None:
        word += "-up" if int(number.group(1)) < 0 else "-down"
    return Binding(
        keys,
        action,
        name,
        tooltip=tooltip,
        show=show,
        priority=priority,
        key_display=key_name(keys.split(",")[0]),
        id=f"{group}.{word}",
    )


def key_name(keys: str) -> str:
    """A key as keyboards and this app's sentences write it: ``F2``, ``Ctrl+J``."""
    *modifiers, last = keys.split("+")
    name = NAMES.get(last, last.upper() if len(last) <= 3 else last.capitalize())
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


HELP = key("f1", "app.help", "Help", "What the keys do where you are", priority=True, group="app")

APP = [
    HELP,
    key("ctrl+q", "app.leave", "Quit", "Leave the app", show=False, priority=True, group="app"),
]

# With priority: text areas and inputs have other plans for F6, F7, Ctrl+F and some more.
CHAT = [
    HELP,
    key("escape", "stop", "Stop", "Stop the reply that is being written"),
    key("f2", "correct", "Correct", "Write what the marked reply should have said", priority=True),
    key("f3", "approve", "Approve", "Keep your word that the marked reply was good as it stood", priority=True),
    key(
        "ctrl+z",
        "take_back",
        "Undo",
        "Take the judgement of the marked reply back, until a retraining has used it; in a text, undo the typing",
        show=False,
    ),
    key("f4", "again", "Again", "Let the bot answer once more; the reply that is there stays", priority=True),
    key("f5", "app.tell('retrain')", "Retrain", "Teach the bot what was corrected", priority=True),
    key(
        "f6", "app.tell('training')", "Training", "How the retraining is going, or how the last one went", priority=True
    ),
    key(
        "f7", "app.tell('versions')", "Versions", "Every version of the bot; activate one, or roll back", priority=True
    ),
    key("f8", "app.tell('roll_back')", "Roll back", "Let the version before this one answer again", priority=True),
    key("f10", "app.tell('review')", "Review", "Judge the replies that nobody has judged yet", priority=True),
    key(
        "ctrl+b,alt+b",
        "app.tell('pairs')",
        "Pairs",
        "What the bot learns from: find pairs, edit, exclude, pin, tag and redact them",
        show=False,
        priority=True,
    ),
    key(
        "alt+g",
        "app.tell('conflicts')",
        "Conflicts",
        "Settle questions with more than one answer before the bot learns them",
        show=False,
        priority=True,
    ),
    key("ctrl+n", "new", "New", "Begin a conversation with another customer", priority=True),
    key("ctrl+f", "search", "Find", "Search everything that was said", priority=True),
    key(
        "ctrl+t",
        "app.tell('compare')",
        "Compare",
        "Compare two versions' answers, or this conversation with another version",
        show=False,
        priority=True,
    ),
    key("ctrl+d", "app.tell('details')", "Details", "How the marked reply came to be", show=False, priority=True),
    key("f9", "app.tell('settings')", "Settings", "The desk's settings", show=False, priority=True),
    key("ctrl+g", "app.tell('runs')", "Runs", "Every run of this desk, and their recipes", show=False, priority=True),
    key(
        "ctrl+o",
        "app.tell('import_file')",
        "Import",
        "Import pairs or conversations from a file",
        show=False,
        priority=True,
    ),
    key(
        "ctrl+l",
        "conversations",
        "Conversations",
        "Go to the list of conversations; once more, search it",
        show=False,
        priority=True,
    ),
    key(
        "alt+p",
        "again_otherwise",
        "Again, other preset",
        "Let the bot answer once more with the other decoding preset",
        show=False,
    ),
    key(
        "ctrl+r", "resend", "Edit and resend", "Take a copy of the message to edit and send", show=False, priority=True
    ),
    key("ctrl+c", "copy", "Copy", "Copy what is selected, else the marked reply", show=False),
    key("alt+c", "copy_code", "Copy code", "Copy the code in the marked reply", show=False),
    key("alt+q", "quote", "Quote", "Quote the marked reply in what you write", show=False),
    key("ctrl+e", "edit_outside", "Editor", "Write on in the editor that $VISUAL names", show=False, priority=True),
    key(
        "alt+f",
        "show_list",
        "Show",
        "Which conversations are listed: all, those to review, corrected, failed, mine, of today, archived",
        show=False,
    ),
    key(
        "alt+r",
        "app.tell('rename')",
        "Rename",
        "Give the conversation another title",
        show=False,
    ),
    key("alt+a", "app.tell('archive')", "Archive", "Take the conversation out of the list, or put it back", show=False),
    key(
        "alt+x",
        "app.tell('export_conversation')",
        "Export conversation",
        "Write the conversation to a file, as Markdown or JSON",
        show=False,
    ),
    key(
        "alt+e",
        "app.tell('forget')",
        "Erase a person",
        "Take what a person said out of this desk, for good; first you are shown what will be done",
        show=False,
    ),
    key("escape", "write", "Write", "Go back to writing", show=False),
    key(
        "ctrl+up",
        "mark(-1)",
        "Reply before",
        "Mark the reply before; Up does so if nothing is written",
        show=False,
        priority=True,
    ),
    key(
        "ctrl+down",
        "mark(1)",
        "Reply after",
        "Mark the reply after; Down does so if nothing is written",
        show=False,
        priority=True,
    ),
]

COMPOSER = [
    key("enter", "send", "Send", "Send the customer's message", show=False, priority=True, group="composer"),
    key("ctrl+j,shift+enter", "newline", "New line", "Begin a new line", show=False, priority=True, group="composer"),
    key("alt+up,pageup", "recall(-1)", "Sent before", "What you sent before", show=False, group="composer"),
    key("alt+down,pagedown", "recall(1)", "Sent after", "What you sent after that", show=False, group="composer"),
]

TRANSCRIPT = [
    key("up", "mark(-1)", "Reply before", "Mark the reply before", show=False, group="transcript"),
    key("down", "mark(1)", "Reply after", "Mark the reply after", show=False, group="transcript"),
]

CONVERSATIONS = [
    key(
        "slash",
        "filter",
        "Filter",
        "Search the conversations by words that were said",
        show=False,
        group="conversations",
    ),
    key("f", "show_list", "Show", "Which conversations are listed", show=False, group="conversations"),
    key("r", "app.tell('rename')", "Rename", "Give it another title", show=False, group="conversations"),
    key(
        "a",
        "app.tell('archive')",
        "Archive",
        "Off the list, or back into it",
        show=False,
        group="conversations",
    ),
    key("x", "app.tell('export_conversation')", "Export", "Write it to a file", show=False, group="conversations"),
    key(
        "delete", "app.tell('forget')", "Erase", "Take it out of this desk, for good", show=False, group="conversations"
    ),
]

ROWS = [
    key("up", "move(-1)", "Up", "The row before", show=False, group="rows"),
    key("down", "move(1)", "Down", "The row after", show=False, group="rows"),
    key("pageup", "page(-1)", "Page up", "A page of rows up", show=False, group="rows"),
    key("pagedown", "page(1)", "Page down", "A page of rows down", show=False, group="rows"),
    key("home", "first", "First", "The first row", show=False, group="rows"),
    key("end", "last", "Last", "The last row", show=False, group="rows"),
    key("enter", "choose", "Open", "Open the highlighted row", show=False, group="rows"),
]

DIALOG = [key("escape", "dismiss_dialog", "Back", "Leave without changing anything", group="dialog")]

SCROLLED = [
    key("up", "scroll_body(-1)", "Up", "Scroll up", show=False, group="dialog"),
    key("down", "scroll_body(1)", "Down", "Scroll down", show=False, group="dialog"),
    key("pageup", "scroll_body(-10)", "Page up", "Scroll up by a page", show=False, group="dialog.page"),
    key("pagedown", "scroll_body(10)", "Page down", "Scroll down by a page", show=False, group="dialog.page"),
]

CORRECTION = [
    *DIALOG,
    key("ctrl+s,f2", "save", "Save", "Keep the correction", priority=True, group="correction"),
]

VERSIONS = [
    HELP,
    *DIALOG,
    key("enter,a", "activate", "Activate", "Let the marked version answer", group="versions"),
    key("v", "app.tell('report')", "Report", "What the check found about the marked version", group="versions"),
    key("h", "app.tell('history')", "History", "The versions' numbers as a picture", group="versions"),
    key("c", "app.tell('compare')", "Compare", "Compare two versions' answers side by side", group="versions"),
    key("f8,r", "app.tell('roll_back')", "Roll back", "Let the version before this one answer again", group="versions"),
]

TRAINING = [
    HELP,
    *DIALOG,
    key(
        "x",
        "app.tell('cancel_run')",
        "Cancel the run",
        "Give the retraining up; what answers now goes on",
        group="training",
    ),
    key(
        "s",
        "app.tell('stop_run')",
        "Stop the run",
        "Stop the retraining with a checkpoint to resume it from",
        group="training",
    ),
    key("v", "app.tell('verdict')", "Report", "What the check found", group="training"),
    key("h", "app.tell('runs')", "History", "Every run of this desk", group="training"),
    key("slash", "search_log", "Search", "Search in the log", group="training"),
    key("n", "find(1)", "Next found", "The next line that was searched for", show=False, group="training"),
    key("N", "find(-1)", "Found before", "The line before that was searched for", show=False, group="training"),
]

RECIPE = [
    HELP,
    *DIALOG,
    key("f2,ctrl+s", "save", "Save", "Save these values under a name", priority=True, group="recipe"),
    key("f3", "load", "Load", "Show another recipe", priority=True, group="recipe"),
    key("f5", "use", "Use", "Let retrainings use this recipe", priority=True, group="recipe"),
    key("f4", "delete", "Delete", "Forget this named recipe", priority=True, group="recipe"),
]

RUNS = [
    HELP,
    *DIALOG,
    key("enter,o", "open", "Open", "Its loss curve and its log", group="runs"),
    key("d", "diff", "Recipes", "What its recipe and the marked run's, or the one before's, differ in", group="runs"),
    key("space,m", "mark", "Mark", "Mark this run, to set another one's recipe against it", group="runs"),
    key("e", "app.tell('recipe')", "Edit recipe", "The recipe of the next retraining, as a form", group="runs"),
    key("r", "resume", "Resume", "Go on with an interrupted or failed run from its checkpoint", group="runs"),
    key("x", "discard", "Discard", "Give an interrupted or failed run up, and free its files", group="runs"),
]

HISTORY = [HELP, *DIALOG]

COMPARE = [
    HELP,
    key("escape", "leave_or_stop", "Stop or back", "Stop asking; if nothing is asked, leave", group="compare"),
    key("left,l", "prefer_left", "Left", "The left answer is better", group="compare"),
    key("right,r", "prefer_right", "Right", "The right answer is better", group="compare"),
    key("b", "prefer_both", "Both", "Both answers are good", group="compare"),
    key("n", "prefer_neither", "Neither", "Neither answer is good", group="compare"),
    key("enter,space", "turn(1)", "Next", "The next question", group="compare"),
    key("backspace", "turn(-1)", "Question before", "The question before", show=False, group="compare"),
    key("up", "scroll_sides(-1)", "Up", "Scroll both answers up", show=False, group="compare"),
    key("down", "scroll_sides(1)", "Down", "Scroll both answers down", show=False, group="compare"),
]

REPORT = [
    HELP,
    *DIALOG,
    key("right", "turn(1)", "Next tab", "Numbers, corrections, answers", show=False, group="report"),
    key("left", "turn(-1)", "Tab before", "Numbers, corrections, answers", show=False, group="report"),
    key("f", "filter", "Filter", "Show all answers, the changed, the worse or the better ones", group="report"),
    key("u", "override", "Use it all the same", "Let the new version answer, with a reason", group="report"),
]

REVIEW = [
    HELP,
    *DIALOG,
    key("a,f3", "approve", "Approve", "The reply is good as it stands", group="review"),
    key("c,f2", "correct", "Correct", "Write what the reply should have said", group="review"),
    key("s", "skip", "Skip", "Pass over this reply; nobody is asked about it again", group="review"),
    key("u,ctrl+z", "take_back", "Undo", "Take back what was done here last", group="review"),
    key("o", "order", "Order", "The oldest first, or the least certain first", group="review"),
    key("enter", "open", "Open", "See the reply in its conversation", group="review"),
]

PAIRS = [
    HELP,
    *DIALOG,
    key("slash", "search", "Search", "Find pairs by words in question or answer", group="pairs"),
    key("f", "app.tell('filter_pairs')", "Filter", "By state, source, side, language, tag or run", group="pairs"),
    key("space", "mark", "Mark", "Mark this pair; what you do then is done to all that are marked", group="pairs"),
    key("e", "app.tell('edit_pair')", "Edit", "Write a better text; the old one is kept", group="pairs"),
    key("x", "app.tell('exclude_pairs')", "Exclude", "Keep it out of training and check, with why", group="pairs"),
    key("r", "app.tell('restore_pairs')", "Restore", "Take what was excluded in again", group="pairs"),
    key("p", "app.tell('pin_pairs')", "Pin", "Make it a test that never trains, or take the pin away", group="pairs"),
    key("t", "app.tell('tag_pairs')", "Tag", "Put a tag on it, or with -tag take one off", group="pairs"),
    key("d", "app.tell('redact_pairs')", "Redact", "Placeholders in the place of personal data", group="pairs"),
    key("k", "app.tell('clear_pairs')", "Clear", "It may train with the personal data in it", group="pairs"),
    key("c", "app.tell('conflicts')", "Conflicts", "Questions with more than one answer", group="pairs"),
    key("s", "app.tell('pair_story')", "Story", "Where it comes from and what was learned of it", group="pairs"),
    key(
        "delete",
        "app.tell('forget')",
        "Erase",
        "Take what it says out of this desk, for good; first you are shown what will be done",
        show=False,
        group="pairs",
    ),
    key("a", "mark_all", "Mark all", "Mark everything that is listed, or nothing", show=False, group="pairs"),
]

PAIR_STORY = [
    *DIALOG,
    key("o", "open", "Open", "Open the conversation the pair came of", group="pair_story"),
]

CONFLICTS = [
    HELP,
    *DIALOG,
    key("right", "choose_answer(1)", "Answer after", "Choose the answer after", show=False, group="conflicts"),
    key("left", "choose_answer(-1)", "Answer before", "Choose the answer before", show=False, group="conflicts"),
    key("k", "app.tell('keep_answer')", "Keep", "The chosen answer stands, the others go", group="conflicts"),
    key("b", "app.tell('both_are_fine')", "Both are fine", "All of them may stand side by side", group="conflicts"),
    key("e", "app.tell('edit_pair')", "Edit", "Write a better text for the chosen one", group="conflicts"),
]

PREFLIGHT = [
    *DIALOG,
    key("c", "conflicts", "Conflicts", "Settle questions with more than one answer first", group="preflight"),
    key("d", "personal", "Personal data", "Look at the pairs that hold personal data", group="preflight"),
]

SETTINGS = [HELP, *DIALOG]

# Lists that are in force inside another place, whose keys they must leave alone.
WITHIN = {"COMPOSER": "CHAT", "TRANSCRIPT": "CHAT", "CONVERSATIONS": "CHAT", "ROWS": "CHAT"}
