"""Conversations, their turns and replies. What was said is in the store before anything else happens to it."""

from __future__ import annotations

from store.conversations.replies import Replies
from store.database import Database, Row
from store.errors import NotThere, Refused
from store.records import Conversation, Turn
from store.text import clean, visible
from store.times import now

TITLE_LENGTH = 60  # characters of the first message that become the title
LONGEST_MARK = 200  # characters of a customer's name or number


class Conversations(Replies):
    """The repository of ``desk.conversations``. Unknown ids raise :class:`NotThere`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- conversations -----------------------------------------------------------------------------
    def create(self, who: str, title: str = "", source: str = "chat", customer: str | None = None) -> Conversation:
        """A new, empty conversation; an empty *title* is filled from the first message. *customer*: whose it is, by a
        name or number by which it can be found again to be erased."""
        number = self._db.insert(
            "INSERT INTO conversations (title, source, customer, created_at, created_by) VALUES (?, ?, ?, ?, ?)",
            one_line(title),
            source,
            mark_of(customer),
            now(),
            who,
        )
        return self.get(number)

    def get(self, conversation_id: int) -> Conversation:
        """One conversation."""
        row = self._db.one("SELECT * FROM conversations WHERE id = ?", conversation_id)
        if row is None:
            raise NotThere(f"There is no conversation {conversation_id}.")
        return conversation_of(row)

    def list(self, archived: bool = False, limit: int = 200) -> list[Conversation]:
        """The latest first; :mod:`store.conversations.listing` narrows them down."""
        where = f"archived_at IS {'NOT ' if archived else ''}NULL"
        rows = self._db.all(f"SELECT * FROM conversations WHERE {where} ORDER BY id DESC LIMIT ?", limit)
        return [conversation_of(row) for row in rows]

    def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give it another title. Raises :class:`Refused` if there is nothing to see in it."""
        self.get(conversation_id)
        line = one_line(title)
        if not visible(line):
            raise Refused("A title can't be empty.")
        self._db.run("UPDATE conversations SET title = ? WHERE id = ?", line, conversation_id)
        return self.get(conversation_id)

    def archive(self, conversation_id: int, who: str, *, restore: bool = False) -> Conversation:
        """Take it out of the list (or put it back); nothing is deleted."""
        self.get(conversation_id)
        at = None if restore else now()
        self._db.run("UPDATE conversations SET archived_at = ?, archived_by = ? WHERE id = ?", at, who, conversation_id)
        return self.get(conversation_id)

    # -- turns -------------------------------------------------------------------------------------
    def add_customer(self, conversation_id: int, text: str, who: str) -> Turn:
        """Keep what the customer said."""
        said = clean(text)
        with self._db.atomic():
            conversation = self.get(conversation_id)
            number = self._add(conversation_id, "customer", said, None, who)
            if not conversation.title and visible(said):
                self.rename(conversation_id, said)
        return self.turn(number)


def one_line(text: str) -> str:
    """*text* as a title: clean, on one line, at most ``TITLE_LENGTH`` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def mark_of(customer: str | None) -> str | None:
    """A customer's name or number as it is kept: clean, on one line, not endless; None if there is nothing to see."""
    line = " ".join(clean(customer or "").split())[:LONGEST_MARK].strip()
    return line if visible(line) else None


def conversation_of(row: Row) -> Conversation:
    """The record of a row of ``conversations``."""
    return Conversation(
        row["id"],
        row["title"],
        row["created_at"],
        row["created_by"],
        row["archived_at"],
        row["source"],
        row["customer"],
    )
