"""The keys of retraining: before a run, during it, and of the list of runs."""

from __future__ import annotations

from tui.keys.everywhere import DIALOG, HELP
from tui.keys.key import Key, bindings

PREFLIGHT = [
    *DIALOG,
    *bindings(
        "preflight",
        Key("c", "conflicts", "Conflicts", "First settle questions with more than one answer"),
        Key("d", "personal", "Personal data", "Look at the pairs with personal data"),
        Key("t", "more_tests", "More tests", "Hold out more pairs for the check, from those no run has used"),
        Key("u,ctrl+z", "fewer_tests", "Undo", "Let the pairs that were just held out train again"),
    ),
]

TRAINING = [
    HELP,
    *DIALOG,
    *bindings(
        "training",
        Key("x", "cancel_run", "Cancel the run", "Cancel the retraining; the current version goes on answering"),
        Key("s", "stop_run", "Stop the run", "Stop the retraining with a checkpoint to resume it from"),
        Key("v", "verdict", "Report", "What the check found"),
        Key("h", "runs", "History", "Every run of this desk"),
        Key("slash", "search_log", "Search", "Search in the log"),
        Key("n", "find(1)", "Next found", "The next line found", shown=False, word="find-down"),
        Key("N", "find(-1)", "Found before", "The previous line found", shown=False, word="find-up"),
    ),
]

RECIPE = [
    HELP,
    *DIALOG,
    *bindings(
        "recipe",
        Key("f2,ctrl+s", "save", "Save", "Save these values under a name", first=True),
        Key("f3", "load", "Load", "Show another recipe", first=True),
        Key("f5", "use", "Use", "Use this recipe for retrainings", first=True),
        Key("f4", "delete", "Delete", "Delete this saved recipe", first=True),
    ),
]

RUNS = [
    HELP,
    *DIALOG,
    *bindings(
        "runs",
        Key("enter,o", "open", "Open", "Its loss curve and its log"),
        Key("d", "diff", "Recipes", "How its recipe differs from the marked run's, or the previous run's"),
        Key("space,m", "mark", "Mark", "Mark this run, to compare its recipe with another"),
        Key("e", "app.recipe", "Edit recipe", "The recipe of the next retraining, as a form"),
        Key("r", "resume", "Resume", "Resume an interrupted or failed run from its checkpoint"),
        Key("x", "discard", "Discard", "Discard an interrupted or failed run, and free its files"),
    ),
]
