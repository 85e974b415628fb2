"""``python -m finetune.recipe_table``: writes docs/recipe.md from the recipe's own fields: it can't be wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from finetune.recipe import Recipe
from finetune.recipe_values import METHOD_DEFAULTS, PRESETS, recipe_of

FILE = Path(__file__).parent.parent / "docs" / "recipe.md"
HEAD = """# The recipe of a retraining

Made by `python -m finetune.recipe_table` from the recipe itself. In the app the same fields are a form (`Ctrl+G`, then
the recipe), and a recipe is saved under a name that the setting `recipe` chooses. On the command line:

    deskloop retrain --set method=adapter --set epochs=2
    deskloop retrain --recipe recipe.toml

| field | default | what it does |
|---|---|---|
"""
METHODS = """
## Defaults of methods

Where a method needs other values than LoRA, these are its defaults; [methods](methods.md) has what each came to.

| method | defaults |
|---|---|
"""
PRESET_HEAD = """
## Presets

`article` is the Qwen2.5 run of the article that deskloop grew out of, `article-7b` the customer-service bot it ends
with. `qkvo` are the four matrices of attention, whatever a base calls them.

| preset | values |
|---|---|
"""


def page() -> str:
    """The page."""
    rows = "".join(
        f"| `{item.name}` | {_shown(item.default)} | {item.metadata['help'].replace('|', '&#124;')} |\n"
        for item in fields(Recipe)
    )
    methods = "".join(f"| `{method}` | {_values(values)} |\n" for method, values in METHOD_DEFAULTS.items())
    presets = "".join(f"| `{name}` | {_values(values)} |\n" for name, values in PRESETS.items())
    for values in PRESETS.values():
        recipe_of(values)
    return HEAD + rows + METHODS + methods + PRESET_HEAD + presets


def _values(values: dict[str, object]) -> str:
    return ", ".join(f"`{name}` {_shown(value)}" for name, value in values.items())


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or "—"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
