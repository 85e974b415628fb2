"""Keys that are the same in many places."""

from __future__ import annotations

from tui.keys.key import Key, bindings

[HELP] = bindings("app", Key("f1", "app.help", "Help", "What the keys do where you are", first=True))

APP = [HELP, *bindings("app", Key("ctrl+q", "app.leave", "Quit", "Leave the app", shown=False, first=True))]

ROWS = bindings(
    "rows",
    Key("up", "move(-1)", "Up", "The previous row", shown=False, word="move-up"),
    Key("down", "move(1)", "Down", "The next row", shown=False, word="move-down"),
    Key("pageup", "page(-1)", "Page up", "A page of rows up", shown=False, word="page-up"),
    Key("pagedown", "page(1)", "Page down", "A page of rows down", shown=False, word="page-down"),
    Key("home", "first", "First", "The first row", shown=False),
    Key("end", "last", "Last", "The last row", shown=False),
    Key("enter", "choose", "Open", "Open the highlighted row", shown=False),
)

DIALOG = bindings(
    "dialog",
    Key("escape", "dismiss_dialog", "Back", "Leave without changing anything"),
)

SCROLLED = [
    *bindings(
        "dialog",
        Key("up", "scroll_body(-1)", "Up", "Scroll up", shown=False, word="scroll_body-up"),
        Key("down", "scroll_body(1)", "Down", "Scroll down", shown=False, word="scroll_body-down"),
    ),
    *bindings(
        "dialog.page",
        Key("pageup", "scroll_body(-10)", "Page up", "Scroll up by a page", shown=False, word="scroll_body-up"),
        Key("pagedown", "scroll_body(10)", "Page down", "Scroll down by a page", shown=False, word="scroll_body-down"),
    ),
]

SETTINGS = [HELP, *DIALOG]
