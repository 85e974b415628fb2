"""What somebody was writing when the app had to end, until it is taken up again."""

from __future__ import annotations

from dataclasses import dataclass

from store.database import Database
from store.times import now


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that was not sent. *conversation*: of a customer's message, None for one that begins a conversation;
    *reply*: of a better answer for it, where it is no message."""

    text: str
    conversation: int | None = None
    reply: int | None = None


class Drafts:
    """The drafts of a desk (``desk.drafts``): each operator's own, and each taken up once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, drafts: list[Draft], who: str) -> None:
        """Keep what *who* was writing, beside what is kept already."""
        with self._db.atomic():
            for draft in drafts:
                self._db.run(
                    "INSERT INTO drafts (conversation_id, reply_id, text, created_at, created_by) "
                    "VALUES (?, ?, ?, ?, ?)",
                    draft.conversation, draft.reply, draft.text, now(), who,
                )  # fmt: skip

    def take(self, who: str) -> list[Draft]:
        """What *who* was writing, the oldest first; from now on it is kept here no more."""
        if self._db.read_only is not None:
            return []  # they stay until they can be taken
        with self._db.atomic():
            rows = self._db.all(
                "SELECT text, conversation_id, reply_id FROM drafts WHERE created_by = ? ORDER BY id", who
            )
            self._db.run("DELETE FROM drafts WHERE created_by = ?", who)
        return [Draft(*row) for row in rows]
