"""The recipe of a retraining as a form."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Select
from textual.widgets.option_list import Option

from finetune.recipe import Recipe, RecipeError
from finetune.recipe_values import parse_changes, recipe_of
from store.text import clean
from tui.core import DeskError
from tui.core.open_desk import OpenDesk
from tui.core.recipes import USUAL, value_text
from tui.keymap import spoken
from tui.keys import RECIPE
from tui.screens.dialog import Ask, Confirm, Dialog
from tui.screens.result import ResultScreen
from tui.widgets.about import About
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain, PlainButton


class ChooseRecipe(Dialog[str]):
    """Returns the name of a recipe; the empty one stands for the defaults."""

    TITLE_TEXT = "Which recipe?"

    def __init__(self, names: list[str], used: str) -> None:
        super().__init__()
        self._recipes, self._used = ["", *names], used

    def body(self) -> ComposeResult:
        """A line for each, the one that F5 uses marked."""
        words = [f"{'●' if name == self._used else ' '} {clean(name) or USUAL}" for name in self._recipes]
        yield OptionList(*(Option(Content(word)) for word in words), id="hits", markup=False)
        yield Plain(spoken(self, "● is the one that {desk.retrain} uses."), classes="detail")

    def buttons(self) -> ComposeResult:
        """Or not."""
        yield PlainButton("Cancel", id="close")

    def on_mount(self) -> None:
        """Choose at once."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._recipes[event.option_index])


class RecipeForm(ResultScreen[None]):
    """A field for each value, judged as it is written; what differs from the default is marked. Named recipes are
    loaded, saved, deleted, and made the one that F5 and `deskloop retrain` use."""

    BINDINGS: ClassVar[list[BindingType]] = list(RECIPE)

    def __init__(self, desk: OpenDesk) -> None:
        super().__init__()
        self._desk = desk
        self._recipe = desk.settings.now.recipe
        self._values = desk.recipes.named(self._recipe).to_dict()
        self._wrong: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Name, meaning and value of each."""
        with Vertical(id="recipe-form"):
            yield Plain("", id="recipe-title", classes="title")
            with VerticalScroll(can_focus=False):
                for item in fields(Recipe):
                    with Container(classes="setting"):
                        yield About(*self._about(item), id=f"about-{item.name}")
                        with Vertical(classes="value"):
                            yield self._field(item)
                            yield Plain("", id=f"word-{item.name}", classes="word problem")
        yield KeyBar()

    def _field(self, item: Field[Any]) -> Input | Select[str]:
        """A value that is one of a few words is chosen, any other is written."""
        value, name = field_text(self._values[item.name]), f"set-{item.name}"
        if words := item.metadata["one_of"]:
            options = [(Content(word), word) for word in words]
            return Select(options, value=value, allow_blank=False, id=name, compact=True)
        return Input(value, id=name, compact=True)

    def on_mount(self) -> None:
        """Begin at the top."""
        self._show_title()
        self.query("Input, Select").first().focus(scroll_visible=False)
        self.call_after_refresh(self.query_one(VerticalScroll).scroll_home, animate=False)

    def _about(self, item: Field[Any]) -> tuple[str, str, str]:
        """Name, what to know about the value, what it does."""
        changed = self._values[item.name] != item.default
        note = f"changed; usual: {value_text(item.default)}" if changed else ""
        return f"{'≠ ' if changed else ''}{item.name}", note, item.metadata["help"]

    def _show_title(self) -> None:
        used = (
            spoken(self, ", the one that {desk.retrain} uses") if self._recipe == self._desk.settings.now.recipe else ""
        )
        edited = ", changed and not saved" if self._values != self._saved() else ""
        self.query_one("#recipe-title", Plain).show(f"Recipe: {self._recipe or USUAL}{used}{edited}")

    def _saved(self) -> dict[str, Any]:
        return self._desk.recipes.named(self._recipe).to_dict()

    @on(Input.Changed)
    @on(Select.Changed)
    def _written(self, event: Input.Changed | Select.Changed) -> None:
        """Judge what is being written or was chosen."""
        name = (event.control.id or "").removeprefix("set-")
        try:
            values = self._values | parse_changes([f"{name}={event.value}"])
            recipe_of(values)
        except RecipeError as error:
            self._wrong[name] = str(error)
        else:
            self._wrong.pop(name, None)
            self._values = values
        line = self.query_one(f"#word-{name}", Plain)
        line.show(self._wrong.get(name, ""))
        line.display = name in self._wrong
        item = next(item for item in fields(Recipe) if item.name == name)
        self.query_one(f"#about-{name}", About).show(*self._about(item))
        self._show_title()

    def _fill(self, name: str) -> None:
        """Show another recipe."""
        self._values, self._recipe = self._desk.recipes.named(name).to_dict(), name
        for field in (*self.query(Input), *self.query(Select)):
            field.value = field_text(self._values[(field.id or "").removeprefix("set-")])
        self._show_title()

    def _refused(self, error: Exception) -> None:
        self.app.notify(str(error), severity="warning")

    # -- keys --------------------------------------------------------------------------------------
    def action_dismiss_dialog(self) -> None:
        """Leave; what was changed and not saved is asked about."""
        if self._values == self._saved():
            self.dismiss(None)
            return
        text = "What you changed here is not saved under a name."
        ask = Confirm("Leave the recipe?", text, "Leave it", "Go on", careful=True)
        self.app.push_screen(ask, self._leave)

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.dismiss(None)

    def action_save(self) -> None:
        """Keep the values under a name."""
        if self._wrong:
            self.app.notify(f"Nothing was saved. {next(iter(self._wrong.values()))}", severity="warning")
            return
        ask = Ask("Save the recipe", "Under which name? An existing recipe of that name is replaced.", "Save", "Name")
        self.app.push_screen(ask, self._save)

    def _save(self, name: str | None) -> None:
        if name is None:
            return
        try:
            self._recipe = self._desk.recipes.save(name, self._values).name
        except DeskError as error:
            self._refused(error)
        self._show_title()

    def action_load(self) -> None:
        """Show another recipe."""
        names = self._desk.recipes.names()
        choose = ChooseRecipe(names, self._desk.settings.now.recipe)
        self.app.push_screen(choose, lambda name: self._fill(name) if name is not None else None)

    def action_delete(self) -> None:
        """Forget this named recipe."""
        if not self._recipe or self._recipe == self._desk.settings.now.recipe:
            self.app.notify(spoken(self, "{desk.retrain} uses this recipe. Choose another one first."))
            return
        if not self._desk.recipes.saved(self._recipe):
            self.app.notify(
                "This recipe comes with deskloop and can't be deleted. Save it under another name to change it."
            )
            return
        text = "Runs that used it keep their own copy."
        ask = Confirm(f"Delete the recipe {self._recipe}?", text, "Delete it", "Keep it", careful=True)
        self.app.push_screen(ask, lambda yes: self._delete() if yes else None)

    def _delete(self) -> None:
        try:
            self._desk.recipes.delete(self._recipe)
        except DeskError as error:
            self._refused(error)
        else:
            self._fill("")

    def action_use(self) -> None:
        """Let F5 and `deskloop retrain` use this recipe."""
        if self._values != self._saved():
            word = spoken(self, "Save the recipe first ({recipe.save}): a retraining uses what is saved.")
            self.app.notify(word, severity="warning")
            return
        try:
            self._desk.settings.change("recipe", self._recipe)
        except DeskError as error:
            self._refused(error)
            return
        self._show_title()
        self.app.notify(f"Retrainings use {self._recipe or USUAL} from now on.")


def field_text(value: object) -> str:
    """A recipe's value as one writes it."""
    return value if isinstance(value, str) else value_text(value)
