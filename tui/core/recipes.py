"""From a desk, a file and ``KEY=VALUE`` words to a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from finetune.recipe import Recipe, parse_changes, read_recipe, recipe_of
from store.desk import Desk


def recipe_from(desk: Desk, file: Path | None = None, changes: Iterable[str] = ()) -> Recipe:
    """The recipe in *file* (TOML or JSON; None: the defaults) with *changes* to it.

    A method that nobody names follows from how the desk holds its base. Raises
    :class:`finetune.recipe.RecipeError` with a sentence."""
    method = "qlora" if desk.settings.load().quantization == "nf4" else "lora"
    return recipe_of({"method": method} | (read_recipe(file) if file else {}) | parse_changes(changes))
