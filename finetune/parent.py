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


def known_pairs(desk: Desk, parent: Version) -> set[int]:
    """The pairs that *parent* has learned. (A pair that was edited since is another one.)"""
    made_by = None if parent == BASE else desk.versions.get(parent).run_id
    return set() if made_by is None else {number for number, *_ in desk.runs.trained_on(made_by)}
