"""Conversations, their turns and replies. What was said is in the store before anything else happens to it."""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.database import Database, Row
from store.database.cells import OBJECT, cell
from store.errors import NotThere, Refused
from store.records import Conversation, Reply, Turn
from store.search import index_turn
from store.text import clean, visible
from store.times import now
from store.words import IMPORTED, Exchange, ReplyState, Version

TITLE_LENGTH = 60  # characters of the first message that become the title
LONGEST_MARK = 200  # characters of a customer's name or number

# The text of the correction that stands, for a row r of replies.
_CORRECTION = """CASE r.judgement WHEN 'corrected' THEN (SELECT c.text FROM corrections c WHERE c.reply_id = r.turn_id
    AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.correction_id = c.id) ORDER BY c.id DESC LIMIT 1) END"""

_TURN = f"""
SELECT t.*, r.version, r.decoding, r.state, r.finished_at, r.new_tokens, r.seconds, r.first_token_seconds,
    r.certainty, r.judgement, {_CORRECTION} AS correction
FROM turns t LEFT JOIN replies r ON r.turn_id = t.id
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured while a reply was generated. ``certainty``: the mean natural logarithm of its tokens'
    probabilities."""

    new_tokens: int | None = None
    seconds: float | None = None
    first_token_seconds: float | None = None
    certainty: float | None = None


NOT_MEASURED = Measured()


class Conversations:
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
            raise Refused("A title needs something to read.")
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

    def begin_reply(self, customer_turn_id: int, version: Version, decoding: dict[str, Any], who: str = "bot") -> Turn:
        """The row of a reply that is about to be written. It counts as failed until it is finished, so that a
        crash at any moment leaves the truth behind."""
        message = self.turn(customer_turn_id)
        if message.role != "customer":
            raise Refused("Only a customer's message can be replied to.")
        with self._db.atomic():
            number = self._add(message.conversation_id, "bot", "", customer_turn_id, who)
            self._db.run(
                "INSERT INTO replies (turn_id, version, decoding) VALUES (?, ?, ?)",
                number,
                version,
                json.dumps(decoding, sort_keys=True),
            )
        return self.turn(number)

    def extend_reply(self, reply_id: int, text: str) -> None:
        """Keep what was streamed so far: *text* is the whole reply up to now."""
        self._db.run(
            "UPDATE turns SET text = ? WHERE id = ? AND id IN (SELECT turn_id FROM replies WHERE finished_at IS NULL)",
            clean(text),
            reply_id,
        )

    def finish_reply(
        self,
        reply_id: int,
        text: str,
        state: ReplyState,
        measured: Measured = NOT_MEASURED,
    ) -> Turn:
        """Write a reply's end, once.

        Raises :class:`Refused` if it has an end already."""
        with self._db.atomic():
            done = self._db.run(
                "UPDATE replies SET state = ?, finished_at = ?, new_tokens = ?, seconds = ?, first_token_seconds = ?, "
                "certainty = ? WHERE turn_id = ? AND finished_at IS NULL",
                state,
                now(),
                measured.new_tokens,
                measured.seconds,
                measured.first_token_seconds,
                measured.certainty,
                reply_id,
            ).rowcount
            if not done:
                raise Refused(f"Reply {reply_id} is finished already, or is no reply.")
            said = clean(text)
            self._db.run("UPDATE turns SET text = ? WHERE id = ?", said, reply_id)
            index_turn(self._db, reply_id, said)
        return self.turn(reply_id)

    def import_turns(self, conversation_id: int, turns: Sequence[tuple[str, str]], who: str) -> None:
        """Append (role, text) turns of a conversation held elsewhere; "agent" turns become replies of nobody's
        version. The texts must be clean already. To be called inside a transaction."""
        message: int | None = None
        at = now()
        for role, text in turns:
            if role == "customer":
                message = self._add(conversation_id, "customer", text, None, who)
            elif message is not None:
                number = self._add(conversation_id, "bot", text, message, who)
                self._db.run(
                    "INSERT INTO replies (turn_id, version, decoding, state, finished_at) "
                    "VALUES (?, ?, '{}', 'complete', ?)",
                    number,
                    IMPORTED,
                    at,
                )

    def _add(self, conversation_id: int, role: str, text: str, in_reply_to: int | None, who: str) -> int:
        number = self._db.insert(
            "INSERT INTO turns (conversation_id, role, text, in_reply_to, created_at, created_by) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            conversation_id,
            role,
            text,
            in_reply_to,
            now(),
            who,
        )
        if text:
            index_turn(self._db, number, text)
        return number

    def turn(self, turn_id: int) -> Turn:
        """One turn, with its reply if it is one."""
        row = self._db.one(f"{_TURN} WHERE t.id = ?", turn_id)
        if row is None:
            raise NotThere(f"There is no turn {turn_id}.")
        return _turn(row)

    def turns(
        self,
        conversation_id: int,
        limit: int | None = None,
        before_id: int | None = None,
        after_id: int | None = None,
    ) -> builtins.list[Turn]:
        """A conversation's turns in order; with *limit* the newest ones, with *before_id* those before it; with
        *after_id* the first ones after it."""
        forward = after_id is not None
        rows = self._db.all(
            f"{_TURN} WHERE t.conversation_id = ? AND t.id {'>' if forward else '<'} ? "
            f"ORDER BY t.id {'ASC' if forward else 'DESC'} LIMIT ?",
            conversation_id,
            after_id if after_id is not None else before_id if before_id is not None else 2**62,
            -1 if limit is None else limit,
        )
        return [_turn(row) for row in (rows if forward else reversed(rows))]

    def said_by(self, who: str, limit: int = 100) -> builtins.list[str]:
        """The customer messages that *who* wrote last, each once, the oldest first."""
        rows = self._db.all(
            "SELECT text FROM turns WHERE role = 'customer' AND created_by = ? ORDER BY id DESC LIMIT ?", who, 2 * limit
        )
        newest = builtins.list(dict.fromkeys(row["text"] for row in rows))[:limit]
        return newest[::-1]

    def history(self, customer_turn_id: int) -> tuple[Exchange, ...]:
        """The exchanges before a customer's message, as the model is to see them.

        Of several replies to one message the newest that did not fail, or was corrected, counts; a corrected reply
        counts as its correction: the bot goes on from what it should have said. A message without a usable reply is
        left out.
        """
        message = self.turn(customer_turn_id)
        rows = self._db.all(
            f"""
SELECT m.text AS customer, coalesce({_CORRECTION}, b.text) AS bot
FROM turns m JOIN turns b ON b.id = (
    SELECT max(o.id) FROM turns o JOIN replies p ON p.turn_id = o.id WHERE o.in_reply_to = m.id
    AND (p.state != 'failed' AND o.text != '' OR p.judgement = 'corrected'))
JOIN replies r ON r.turn_id = b.id
WHERE m.conversation_id = ? AND m.role = 'customer' AND m.id < ? ORDER BY m.id
""",
            message.conversation_id,
            customer_turn_id,
        )
        return tuple((row["customer"], row["bot"]) for row in rows)


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


def _turn(row: Row) -> Turn:
    reply = None
    if row["version"] is not None:
        reply = Reply(
            id=row["id"],
            version=row["version"],
            decoding=cell(row["decoding"], OBJECT, {}),
            state=row["state"],
            finished_at=row["finished_at"],
            new_tokens=row["new_tokens"],
            seconds=row["seconds"],
            first_token_seconds=row["first_token_seconds"],
            correction=row["correction"],
            approved=row["judgement"] == "approved",
            skipped=row["judgement"] == "skipped",
            certainty=row["certainty"],
        )
    return Turn(
        row["id"],
        row["conversation_id"],
        row["role"],
        row["text"],
        row["created_at"],
        row["created_by"],
        row["in_reply_to"],
        reply,
    )
