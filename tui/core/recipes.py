"""From a desk, a file and ``KEY=VALUE`` words to a recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from finetune.recipe import Recipe, RecipeError
from finetune.recipe_values import PRESETS, parse_changes, read_recipe, recipe_of
from store.desk import Desk
from store.errors import NotThere
from store.runs.recipes import NamedRecipe

USUAL = "the defaults"  # how the recipe without a name is called


class RecipeDesk:
    """The recipes of a desk, for one operator."""

    def __init__(self, store: Desk, who: str) -> None:
        self._store, self._who = store, who

    def chosen(self, chosen: str | None = None, changes: Iterable[str] = ()) -> Recipe:
        """See :func:`recipe_from`."""
        return recipe_from(self._store, chosen, changes)

    def from_the_base(self) -> Recipe:
        """The desk's recipe without a warm start: what replaces a version that learned too much must not begin as it.
        Raises as :meth:`chosen`."""
        return self.chosen(None, ["warm_start=False"])

    def named(self, name: str) -> Recipe:
        """See :func:`desk_recipe`."""
        return desk_recipe(self._store, name)

    def names(self) -> list[str]:
        """The names a recipe can be chosen by: what operators saved, and the presets."""
        saved = [recipe.name for recipe in self._store.recipes.list()]
        return saved + [name for name in PRESETS if name not in saved]

    def saved(self, name: str) -> bool:
        """Whether an operator saved a recipe as *name*."""
        return any(recipe.name == name for recipe in self._store.recipes.list())

    def save(self, name: str, values: dict[str, Any]) -> NamedRecipe:
        """Keep *values* under *name*. Raises :class:`DeskError` for a name that is empty or too long."""
        return self._store.recipes.save(name, values, self._who)

    def delete(self, name: str) -> None:
        """Forget a saved recipe; runs keep their own copies. Raises :class:`LookupError`."""
        self._store.recipes.delete(name)


def recipe_from(desk: Desk, chosen: str | None = None, changes: Iterable[str] = ()) -> Recipe:
    """The recipe *chosen*, with *changes* to it: a file (TOML or JSON), or a name; None: the setting ``recipe``.

    A method that nobody names follows from how the desk holds its base. Raises
    :class:`finetune.recipe.RecipeError` with a sentence."""
    if chosen is not None and Path(chosen).suffix:
        given = read_recipe(Path(chosen))
    else:
        given = _named(desk, desk.settings.load().recipe if chosen is None else chosen)
    return recipe_of(_method(desk) | given | parse_changes(changes))


def desk_recipe(desk: Desk, name: str) -> Recipe:
    """The recipe that is saved as *name* (empty: the defaults, which also stand in for one that is gone or that this
    deskloop does not understand)."""
    try:
        return recipe_of(_method(desk) | _named(desk, name))
    except RecipeError:
        return recipe_of(_method(desk))


def value_text(value: object) -> str:
    """A recipe's value as forms and tables show it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value) or "(empty)"


def changed_values(values: Mapping[str, Any]) -> str:
    """What of a recipe is another than usual, in words."""
    usual = Recipe().to_dict()
    changed = [f"{name} {value_text(value)}" for name, value in values.items() if usual.get(name) != value]
    return ", ".join(changed) or USUAL


def _method(desk: Desk) -> dict[str, Any]:
    return {"method": "qlora" if desk.settings.load().quantization == "nf4" else "lora"}


def _named(desk: Desk, name: str) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return desk.recipes.get(name).values
    except NotThere as error:
        if name in PRESETS:
            return PRESETS[name]
        raise RecipeError(f"{error} Choose another in the recipe form, or empty the setting recipe.") from error
