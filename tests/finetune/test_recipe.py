"""Recipes: what they refuse, and what they say then."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from finetune.recipe import Recipe, RecipeError
from finetune.recipe_values import parse_changes, read_recipe, recipe_of


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"r": 0}, "r"),
        ({"r": 2.5}, "r"),
        ({"r": True}, "r"),
        ({"dropout": 1.0}, "dropout"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"method": "magic"}, "method"),
        ({"schedule": "steps"}, "schedule"),
        ({"target_modules": " , "}, "target_modules"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], name: str) -> None:
    with pytest.raises(RecipeError, match=name):
        recipe_of(values)


def test_the_defaults_are_those_the_design_names() -> None:
    recipe = Recipe()
    assert (recipe.r, recipe.alpha, recipe.dropout, recipe.targets) == (16, 32, 0.0, "all-linear")
    assert all(item.metadata["help"].endswith(".") for item in fields(Recipe))


def test_changes_are_read_in_the_type_of_their_field() -> None:
    changes = parse_changes(["epochs=2", "warm_start=no", "target_modules=q_proj,v_proj", "r = 8"])
    assert recipe_of(changes) == Recipe(epochs=2.0, warm_start=False, target_modules="q_proj,v_proj", r=8)
    assert recipe_of(changes).targets == ["q_proj", "v_proj"]
    for wrong in ("epochs", "epochs=many", "nothing=1", "warm_start=maybe"):
        with pytest.raises(RecipeError):
            parse_changes([wrong])


def test_files_are_read_and_refused_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("r = 8\nepochs = 2\n")
    assert recipe_of(read_recipe(tmp_path / "a.toml")) == Recipe(r=8, epochs=2.0)
    (tmp_path / "a.json").write_text('{"r": 8}')
    assert recipe_of(read_recipe(tmp_path / "a.json")).r == 8
    (tmp_path / "b.toml").write_text("r = 8\nr = = 2\n")
    with pytest.raises(RecipeError, match="line 2"):
        read_recipe(tmp_path / "b.toml")
    with pytest.raises(RecipeError, match="can't be read"):
        read_recipe(tmp_path / "none.toml")


def test_going_on_needs_the_same_shape() -> None:
    assert Recipe(learning_rate=1e-4).can_go_on_from(Recipe().to_dict())
    assert not Recipe(r=8).can_go_on_from(Recipe().to_dict())
