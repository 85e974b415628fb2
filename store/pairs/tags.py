"""Tags on pairs: an operator's own words for what belongs together."""

from __future__ import annotations

from store.database import Database
from store.errors import Refused
from store.text import clean
from store.times import now

LONGEST_TAG = 40  # characters


def tag_of(text: str) -> str:
    """*text* as a tag: one word or a few, in small letters. Raises :class:`Refused`."""
    tag = " ".join(clean(text).casefold().split())
    if not tag:
        raise Refused("A tag can't be empty.")
    if len(tag) > LONGEST_TAG:
        raise Refused(f"A tag has at most {LONGEST_TAG} characters.")
    return tag


class Tags:
    """The repository of ``desk.tags``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, pair_id: int, tag: str, who: str) -> bool:
        """Tag a pair; whether it was not tagged so already."""
        cursor = self._db.run(
            "INSERT OR IGNORE INTO tags (pair_id, tag, created_at, created_by) VALUES (?, ?, ?, ?)",
            pair_id,
            tag_of(tag),
            now(),
            who,
        )
        return cursor.rowcount > 0

    def remove(self, pair_id: int, tag: str) -> bool:
        """Take a tag off a pair; whether it was there."""
        return self._db.run("DELETE FROM tags WHERE pair_id = ? AND tag = ?", pair_id, tag_of(tag)).rowcount > 0

    def of(self, pair_id: int) -> list[str]:
        """The tags of a pair, in alphabetical order."""
        return [row[0] for row in self._db.all("SELECT tag FROM tags WHERE pair_id = ? ORDER BY tag", pair_id)]

    def names(self) -> list[str]:
        """Every tag in use, in alphabetical order."""
        return [row[0] for row in self._db.all("SELECT DISTINCT tag FROM tags ORDER BY tag")]

    def carry(self, old: int, new: int) -> None:
        """Give the pair *new* the tags of the pair *old*."""
        self._db.run(
            "INSERT OR IGNORE INTO tags (pair_id, tag, created_at, created_by) "
            "SELECT ?, tag, created_at, created_by FROM tags WHERE pair_id = ?",
            new,
            old,
        )
