"""Which base each name means, decided when it was set up: its folder, and the digest of what lay there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from store.database import Database
from store.times import now


@dataclass(frozen=True, slots=True)
class KnownBase:
    """``name``: as the setting has it. ``digest``: sha256 over the files that decide what it says (see
    :func:`bot.bases.base.content_digest`). ``revision``: the commit of a download from the hub."""

    name: str
    folder: Path
    digest: str
    revision: str | None
    set_up_at: str
    set_up_by: str


class Bases:
    """The repository of ``desk.bases``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, name: str) -> KnownBase | None:
        """What *name* means; None for a name that nobody set up on this desk."""
        row = self._db.one("SELECT * FROM bases WHERE name = ?", name)
        if row is None:
            return None
        return KnownBase(
            row["name"], Path(row["folder"]), row["digest"], row["revision"], row["set_up_at"], row["set_up_by"]
        )

    def decide(self, name: str, folder: Path, digest: str, revision: str | None, who: str) -> None:
        """From now on *name* means what lies in *folder* and has this *digest*."""
        self._db.run(
            "INSERT INTO bases (name, folder, digest, revision, set_up_at, set_up_by) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET folder = excluded.folder, digest = excluded.digest, "
            "revision = excluded.revision, set_up_at = excluded.set_up_at, set_up_by = excluded.set_up_by",
            name,
            str(folder),
            digest,
            revision,
            now(),
            who,
        )
