"""The cache of answers that a version gives by greedy decoding."""

from __future__ import annotations

from collections.abc import Mapping

from store.database import Database
from store.times import now


class Answers:
    """The repository of ``desk.answers``: greedy answers, kept under a hash of everything they depend on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """The answer kept under *key*."""
        value: str | None = self._db.value("SELECT text FROM answers WHERE key = ?", key)
        return value

    def put_many(self, answers: Mapping[str, str]) -> None:
        """Keep answers under their keys."""
        at = now()
        with self._db.atomic():
            self._db.many(
                "INSERT OR IGNORE INTO answers (key, text, created_at) VALUES (?, ?, ?)",
                [(key, text, at) for key, text in answers.items()],
            )
