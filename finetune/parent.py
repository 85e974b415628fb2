"""Which version a run goes on from, as far as rows tell."""

from __future__ import annotations

from finetune.recipe import Recipe
from store.desk import Desk
from store.words import BASE, Version


def warm_parent(desk: Desk, recipe: Recipe) -> Version:
    """The version a run with *recipe* would go on from: the active one, or "base". One that learned what was erased
    since is no beginning: whatever goes on from it has learned that, too."""
    active = Version(desk.promotions.active())
    if active == BASE or not recipe.warm_start or active in desk.erasing.tainted():
        return BASE
    return active if recipe.can_go_on_from(desk.versions.get(active).recipe) else BASE
