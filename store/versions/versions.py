"""Adapter versions: a row each, which is never changed."""

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass
from typing import Any

from store.database import Database
from store.database.cells import OBJECT, cell
from store.errors import NotThere, Refused
from store.records import AdapterVersion
from store.times import now
from store.words import Method, Version


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is known of a version when its files are in their place; its name follows from its number."""

    number: int
    manifest_sha256: str
    base_fingerprint: str
    method: Method
    recipe: dict[str, Any]
    run_id: int | None

    @property
    def name(self) -> Version:
        """Its name, and that of its folder."""
        return Version(f"v{self.number}")


class Versions:
    """The repository of ``desk.versions``: rows are added, never changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def next_number(self) -> int:
        """The number the next version gets."""
        return int(self._db.value("SELECT coalesce(max(number), 0) + 1 FROM adapter_versions"))

    def add(self, new: NewVersion) -> AdapterVersion:
        """The row of a published version. Raises :class:`sqlite3.IntegrityError` if the number is taken."""
        self._db.run(
            "INSERT INTO adapter_versions (number, name, folder, manifest_sha256, base_fingerprint, method, recipe, "
            "run_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            new.number,
            new.name,
            new.name,
            new.manifest_sha256,
            new.base_fingerprint,
            new.method,
            json.dumps(new.recipe, sort_keys=True),
            new.run_id,
            now(),
        )
        return self.get(new.name)

    def get(self, name: Version) -> AdapterVersion:
        """One version. Raises :class:`NotThere`."""
        row = self._db.one("SELECT * FROM adapter_versions WHERE name = ?", name)
        if row is None:
            raise NotThere(f"There is no version {name}.")
        return _version(row)

    def list(self) -> builtins.list[AdapterVersion]:
        """Every version, oldest first."""
        return [_version(row) for row in self._db.all("SELECT * FROM adapter_versions ORDER BY number")]

    def remove(self, name: Version, who: str, why: str) -> None:
        """Keep that the files of a version are removed, for good. Raises :class:`NotThere`; :class:`Refused` for
        the version that answers."""
        self.get(name)
        with self._db.atomic():
            if self._db.value("SELECT version FROM promotions ORDER BY id DESC LIMIT 1") == name:
                raise Refused(f"{name} is in use and was not removed. Activate another version first.")
            self._db.run(
                "INSERT OR IGNORE INTO removals (version, why, at, who) VALUES (?, ?, ?, ?)", name, why, now(), who
            )

    def removed(self) -> dict[Version, str]:
        """When the files of versions were removed, by their names."""
        return {row["version"]: row["at"] for row in self._db.all("SELECT version, at FROM removals")}


def _version(row: Any) -> AdapterVersion:
    return AdapterVersion(
        name=row["name"],
        number=row["number"],
        folder=f"v{row['number']}",  # never the column, which a strange database could make a path
        manifest_sha256=row["manifest_sha256"],
        base_fingerprint=row["base_fingerprint"],
        method=row["method"],
        recipe=cell(row["recipe"], OBJECT, {}),
        run_id=row["run_id"],
        created_at=row["created_at"],
    )
