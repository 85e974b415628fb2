"""Where the values of a recipe come from: what a method begins with, presets, files, and words on a command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from finetune.recipe import ALL_LINEAR, BEFORE, KINDS, Recipe, RecipeError

# Settings of the article that deskloop grew out of: its Qwen2.5 run, and the customer-service bot it ends with.
_ARTICLE = {
    "r": 16, "alpha": 32, "dropout": 0.05, "target_modules": "qkvo", "batch_size": 2,
    "gradient_accumulation": 8, "learning_rate": 1e-3, "epochs": 5.0, "schedule": "cosine", "warmup": 0.03,
    "warm_start": False, "frozen": 0.0, "lora_plus": 1.0, "opening": 0, "phrasings": 0, "replay": 0.0,
}  # fmt: skip
PRESETS: dict[str, dict[str, Any]] = {
    "article": _ARTICLE,
    "article-7b": _ARTICLE | {"r": 32, "alpha": 64, "target_modules": ALL_LINEAR, "checkpointing": True},
}
# What a method's default is where it isn't that of LoRA.
# Rates were chosen on the canned workload by the loss on its held-out pairs, epochs and growing data by the answers to
# them (`python -m benchmarks methods`; docs/methods.md has the numbers): virtual tokens take many more steps than LoRA.
_WHOLE: dict[str, Any] = {
    "epochs": 10.0,
    "warm_epochs": 1.0,
    "opening": 0,
    "rehearsal": 1.0,
    "phrasings": 0,
    "replay": 0.0,
}
METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    "prefix": _WHOLE | {"learning_rate": 5e-3},  # it learns at a fifth of it: at 2e-3 less, at 6e-3 nothing
    "ptuning-v2": _WHOLE | {"learning_rate": 6e-2, "warm_learning_rate": 3e-2},  # at 1e-2 four times the loss
    "prompt": _WHOLE | {"learning_rate": 5e-2, "warm_learning_rate": 2e-2, "virtual_tokens": 60, "grow": 4},
    # what is trained is the base's own numbers
    "full": _WHOLE | {"learning_rate": 2e-4, "warm_learning_rate": 5e-5, "epochs": 3.0},
}


def recipe_of(values: dict[str, Any]) -> Recipe:
    """The recipe with *values* in place of the method's defaults. Raises :class:`RecipeError` for unknown names."""
    known = {item.name for item in fields(Recipe)}
    if unknown := sorted(set(values) - known):
        raise RecipeError(f"A recipe has no {unknown[0]!r}. It has: {', '.join(sorted(known))}.")
    return Recipe(**(METHOD_DEFAULTS.get(str(values.get("method")), {}) | values))


def recorded_recipe(values: dict[str, Any]) -> Recipe:
    """The recipe of a run or a version, which is written down whole; what it says nothing of was not there yet. Raises
    as :func:`recipe_of`."""
    return recipe_of(BEFORE | values)


def read_recipe(path: Path) -> dict[str, Any]:
    """The values in a TOML or JSON file. Raises :class:`RecipeError` with the place of what can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
        values: Any = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} can't be read: {error}.") from error
    except ValueError as error:  # both parsers name the line
        raise RecipeError(f"{path} is no recipe: {error}.") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} is not a recipe: it must contain names with values.")
    return values


def parse_changes(changes: Iterable[str]) -> dict[str, Any]:
    """Values out of ``KEY=VALUE`` words, in the types of their fields. Raises :class:`RecipeError`."""
    kinds = {item.name: type(item.default) for item in fields(Recipe)}
    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or name not in kinds:
            raise RecipeError(
                f"{change!r} does not set a value of the recipe. Write KEY=VALUE; keys: {', '.join(kinds)}."
            )
        try:
            values[name] = _parse(kinds[name], text)
        except ValueError:
            raise RecipeError(f"{name} must be {KINDS[kinds[name]]}, not {text!r}.") from None
    return values


def _parse(kind: type, text: str) -> Any:
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    return kind(text)
