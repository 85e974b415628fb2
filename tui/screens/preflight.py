"""Before a retraining: what it will do, need and take."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button

from finetune.preflight import Preflight
from store.words import BASE
from tui.keymap import spoken
from tui.keys import PREFLIGHT, SCROLLED
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

Choice = Literal["start", "recipe", "conflicts", "personal", "more tests", "fewer tests"]


class PreflightDialog(Dialog[Choice]):
    """Returns ``start``, or what to look at first."""

    BINDINGS: ClassVar[list[BindingType]] = [*PREFLIGHT, *SCROLLED]
    TITLE_TEXT = "Retrain the bot?"

    def __init__(self, preflight: Preflight, recipe: str, *, grown: bool = False) -> None:
        """*grown*: tests were held out a moment ago, which can be undone."""
        super().__init__()
        self._found, self._recipe, self._grown = preflight, recipe, grown

    def body(self) -> ComposeResult:
        """The facts, one a line, then what stands in the way and what to know."""
        found = self._found
        parent = "the bare base" if found.parent == BASE else found.parent
        settles = spoken(self, " open: {preflight.conflicts} settles them") if found.conflicts else ""
        looks = spoken(self, ": {preflight.personal} looks at them") if found.flagged else ""
        chat = "waits: its memory is needed" if found.unload_engine else "goes on meanwhile"
        for name, value in (
            ("Pairs to learn from", str(found.pairs)),
            ("New corrections", str(found.new_corrections)),
            ("Questions with two answers", f"{found.conflicts}{settles}"),
            ("Pairs with personal data", f"{found.flagged}{looks}"),
            ("Held out for the check", spoken(self, f"{found.heldout}: {{preflight.more_tests}} holds out more")),
            ("Going on from", parent),
            ("Recipe", self._recipe),
            ("Memory", f"{found.memory_needed / 2**30:.1f} GiB needed, {found.memory_available / 2**30:.1f} GiB free"),
            ("Time", f"{found.time.words}; the chat {chat}"),
        ):
            yield Plain(f"{name:<27} {value}", classes="fact")
        if found.sight is not None:
            yield Plain(found.sight.sentence, classes="fact")
        for problem in found.problems:
            yield Plain(f"✗ {problem}", classes="problem")
        for warning in found.warnings:
            yield Plain(f"! {warning}", classes="warning")

    def buttons(self) -> ComposeResult:
        """Start only if nothing stands in the way."""
        yield PlainButton("Start", id="start", variant="primary", disabled=bool(self._found.problems))
        yield PlainButton("Recipe…", id="recipe")
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Enter starts, unless there is a problem."""
        self.query_one("#close" if self._found.problems else "#start").focus()

    @on(Button.Pressed, "#start, #recipe")
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)  # type: ignore[arg-type]

    def action_conflicts(self) -> None:
        """Settle them first."""
        self.dismiss("conflicts")

    def action_personal(self) -> None:
        """Look at them first."""
        self.dismiss("personal")

    def action_more_tests(self) -> None:
        """Hold out more pairs for the check."""
        self.dismiss("more tests")

    def action_fewer_tests(self) -> None:
        """Let them train again."""
        self.dismiss("fewer tests")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what there is can be looked at, and only what was done undone."""
        there = {
            "conflicts": bool(self._found.conflicts),
            "personal": bool(self._found.flagged),
            "fewer_tests": self._grown,
        }
        return there.get(action, True)
