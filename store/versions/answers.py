"""The cache of answers that a version gives by greedy decoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from store.database import Database
from store.times import now


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and the mean and the least natural logarithm of its tokens' probabilities; None: nobody measured
    them."""

    text: str
    certainty: float | None = None
    least: float | None = None


class Answers:
    """The repository of ``desk.answers``: greedy answers, kept under a hash of everything they depend on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """The text of the answer kept under *key*."""
        kept = self.kept(key)
        return None if kept is None else kept.text

    def kept(self, key: str) -> KeptAnswer | None:
        """The answer kept under *key*."""
        row = self._db.one("SELECT text, certainty, least FROM answers WHERE key = ?", key)
        return None if row is None else KeptAnswer(*row)

    def put_many(self, answers: Mapping[str, str | KeptAnswer]) -> None:
        """Keep answers under their keys."""
        at = now()
        whole = {key: KeptAnswer(one) if isinstance(one, str) else one for key, one in answers.items()}
        with self._db.atomic():
            self._db.many(
                "INSERT OR IGNORE INTO answers (key, text, created_at, certainty, least) VALUES (?, ?, ?, ?, ?)",
                [(key, one.text, at, one.certainty, one.least) for key, one in whole.items()],
            )
