"""From a desk, a file and ``KEY=VALUE`` words to a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from finetune.recipe import Recipe, RecipeError, parse_changes, read_recipe, recipe_of
from store.desk import Desk

USUAL = "the defaults"  # how the recipe without a name is called


def recipe_from(desk: Desk, file: Path | None = None, changes: Iterable[str] = ()) -> Recipe:
    """The recipe in *file* (TOML or JSON; None: the one the setting ``recipe`` names) with *changes* to it.

    A method that nobody names follows from how the desk holds its base. Raises
    :class:`finetune.recipe.RecipeError` with a sentence."""
    given = read_recipe(file) if file else _named(desk, desk.settings.load().recipe)
    return recipe_of(_method(desk) | given | parse_changes(changes))


def desk_recipe(desk: Desk, name: str) -> Recipe:
    """The recipe that is saved as *name* (empty: the defaults, which also stand in for one that is gone or that this
    deskloop does not understand)."""
    try:
        return recipe_of(_method(desk) | _named(desk, name))
    except RecipeError:
        return recipe_of(_method(desk))


def _method(desk: Desk) -> dict[str, Any]:
    return {"method": "qlora" if desk.settings.load().quantization == "nf4" else "lora"}


def _named(desk: Desk, name: str) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return desk.recipes.get(name).values
    except LookupError as error:
        raise RecipeError(f"{error} Choose another in the recipe form, or empty the setting recipe.") from error
