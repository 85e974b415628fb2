"""Recipes that operators named. What a recipe holds is not the store's business: values by name."""

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass
from typing import Any

from store.database import Database
from store.database.cells import OBJECT, cell
from store.errors import NotThere, Refused
from store.text import clean
from store.times import now

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class NamedRecipe:
    """A recipe's values under a name, and who saved it last."""

    name: str
    values: dict[str, Any]
    updated_at: str
    updated_by: str


class Recipes:
    """The repository of ``desk.recipes``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> builtins.list[NamedRecipe]:
        """All of them, by name."""
        return [
            NamedRecipe(row["name"], cell(row["recipe"], OBJECT, {}), row["updated_at"], row["updated_by"])
            for row in self._db.all("SELECT * FROM recipes ORDER BY name")
        ]

    def get(self, name: str) -> NamedRecipe:
        """One of them. Raises :class:`NotThere`."""
        found = next((recipe for recipe in self.list() if recipe.name == name), None)
        if found is None:
            raise NotThere(f"There is no recipe named {clean(name)!r}.")
        return found

    def save(self, name: str, values: dict[str, Any], who: str) -> NamedRecipe:
        """Keep *values* under *name*, in place of what it held. Raises :class:`Refused` for a name that is empty or
        too long."""
        name = " ".join(clean(name).split())
        if not 0 < len(name) <= LONGEST_NAME:
            raise Refused(f"The name of a recipe has 1 to {LONGEST_NAME} characters. Nothing was saved.")
        self._db.run(
            "INSERT OR REPLACE INTO recipes (name, recipe, updated_at, updated_by) VALUES (?, ?, ?, ?)",
            name,
            json.dumps(values, ensure_ascii=False, sort_keys=True),
            now(),
            who,
        )
        return self.get(name)

    def delete(self, name: str) -> None:
        """Forget a recipe; runs keep their own copies. Raises :class:`NotThere`."""
        self.get(name)
        self._db.run("DELETE FROM recipes WHERE name = ?", name)
