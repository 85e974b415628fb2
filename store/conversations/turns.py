"""What was said: turns as they are read, alone, in a window, and as the model is to see them."""

from __future__ import annotations

import builtins

from store.database import Database, Row
from store.database.cells import OBJECT, cell
from store.errors import NotThere
from store.records import Reply, Turn
from store.words import Exchange

# The text of the correction that stands, for a row r of replies.
CORRECTION = """CASE r.judgement WHEN 'corrected' THEN (SELECT c.text FROM corrections c WHERE c.reply_id = r.turn_id
    AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.correction_id = c.id) ORDER BY c.id DESC LIMIT 1) END"""

_TURN = f"""
SELECT t.*, r.version, r.decoding, r.state, r.finished_at, r.new_tokens, r.seconds, r.first_token_seconds,
    r.certainty, r.chance, r.answer_from, r.handed_over, r.draft, r.judgement, r.from_correction,
    {CORRECTION} AS correction
FROM turns t LEFT JOIN replies r ON r.turn_id = t.id
"""


class Turns:
    """The part of ``desk.conversations`` that reads turns."""

    _db: Database

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
        counts as its correction, an approved draft as what was said: the bot goes on from what it should have said. A
        message without a usable reply is left out.
        """
        message = self.turn(customer_turn_id)
        rows = self._db.all(
            f"""
SELECT m.text AS customer,
    coalesce({CORRECTION}, CASE r.judgement WHEN 'approved' THEN r.draft END, b.text) AS bot
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
            rejected=row["judgement"] == "rejected",
            from_correction=row["from_correction"],
            chance=row["chance"],
            answer_from=row["answer_from"],
            handed_over=bool(row["handed_over"]),
            draft=row["draft"],
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
