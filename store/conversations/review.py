"""The review queue: replies that nobody has judged yet, and those that are wrong and not corrected yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from store.conversations import Conversations
from store.conversations.judgements import Judgements
from store.database import Database
from store.errors import NotThere, Refused
from store.records import Pair, Turn
from store.times import midnight, now
from store.words import Exchange

Order = Literal["oldest", "least certain"]

# As the partial indexes of the schema say it, so that SQLite knows them for what they are.
_UNJUDGED = "r.judgement IS NULL AND r.state = 'complete' AND r.version != 'imported'"
_HANDED_OVER = "r.handed_over = 1 AND r.judgement IS NULL AND r.state = 'complete' AND r.version != 'imported'"
_WRONG = "r.judgement = 'rejected'"
TO_REVIEW = f"({_UNJUDGED} OR {_WRONG})"
_LISTED = (
    "EXISTS (SELECT 1 FROM turns t JOIN conversations c ON c.id = t.conversation_id "
    "WHERE t.id = r.turn_id AND c.archived_at IS NULL)"
)
_ORDERS: dict[Order, str] = {
    "oldest": "r.turn_id",
    "least certain": "(r.chance IS NULL), r.chance, (r.certainty IS NULL), r.certainty, r.turn_id",
}


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A reply to judge, the message it answers, and the exchange before that."""

    message: Turn
    reply: Turn
    before: Exchange | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the desk's operators are: replies judged since midnight, and those left; ``wrong`` of these were marked
    as wrong and wait for a correction."""

    today: int
    left: int
    wrong: int = 0


class Review:
    """The repository of ``desk.review``. In the queue are finished, complete replies of the bot in conversations that
    are not archived, until somebody judges them or passes over them. Those marked as wrong stay, before all others,
    until somebody says what is right."""

    def __init__(self, db: Database, conversations: Conversations, judgements: Judgements) -> None:
        self._db, self._conversations, self._judgements = db, conversations, judgements

    def next(self, order: Order = "oldest", later: Collection[int] = ()) -> ReviewItem | None:
        """The first of the queue but for *later*, replies that are asked about again at the end; None if it is empty.
        What was handed over comes before everything else, the longest waiting first: a customer waits for it.
        *least certain*: by chance, else by how likely the words were; those without a number come last."""
        marks = ",".join("?" * len(later))
        parts = (_HANDED_OVER, _ORDERS["oldest"]), (_WRONG, _ORDERS["oldest"]), (_UNJUDGED, _ORDERS[order])
        for which, by in parts:
            number = self._db.value(
                f"SELECT r.turn_id FROM replies r WHERE {which} AND {_LISTED} AND r.turn_id NOT IN ({marks}) "
                f"ORDER BY {by} LIMIT 1",
                *later,
            )
            if number is not None:
                return self.item(number)
        return self.next(order) if later else None

    def item(self, reply_id: int) -> ReviewItem:
        """One reply as the queue shows it, whether it waits or not."""
        reply = self._conversations.turn(reply_id)
        if reply.in_reply_to is None:
            raise NotThere(f"Turn {reply_id} is no reply.")
        history = self._conversations.history(reply.in_reply_to)
        return ReviewItem(self._conversations.turn(reply.in_reply_to), reply, history[-1] if history else None)

    def waits(self, reply_id: int) -> bool:
        """Whether a reply is (still) in the queue."""
        row = self._db.one(f"SELECT 1 FROM replies r WHERE r.turn_id = ? AND {TO_REVIEW} AND {_LISTED}", reply_id)
        return row is not None

    def progress(self) -> Progress:
        """How far the queue is, counting everybody's judgements of this day."""
        since = midnight()
        today = self._db.value(
            "SELECT count(*) FROM (SELECT c.reply_id FROM corrections c WHERE c.created_at >= ? "
            "AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.correction_id = c.id) "
            "UNION SELECT a.reply_id FROM approvals a WHERE a.created_at >= ? "
            "AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.approval_id = a.id))",
            since,
            since,
        )
        unjudged, wrong = self._waiting(_UNJUDGED), self._waiting(_WRONG)
        return Progress(int(today), unjudged + wrong, wrong)

    def _waiting(self, which: str) -> int:
        everywhere = self._db.value(f"SELECT count(*) FROM replies r WHERE {which}")
        put_away = self._db.value(
            "SELECT count(*) FROM conversations c JOIN turns t ON t.conversation_id = c.id "
            f"JOIN replies r ON r.turn_id = t.id WHERE c.archived_at IS NOT NULL AND {which}"
        )
        return int(everywhere) - int(put_away)

    # -- judging -----------------------------------------------------------------------------------
    def approve(self, reply_id: int, who: str) -> Pair | None:
        """See :meth:`Judgements.approve`; None if the reply left the queue meanwhile: its judgement stays."""
        with self._db.atomic():
            return self._judgements.approve(reply_id, who) if self.waits(reply_id) else None

    def correct(self, reply_id: int, text: str, who: str) -> Pair | None:
        """See :meth:`Judgements.correct`; None as for :meth:`approve`."""
        with self._db.atomic():
            return self._judgements.correct(reply_id, text, who) if self.waits(reply_id) else None

    def reject(self, reply_id: int, who: str) -> bool:
        """See :meth:`Judgements.reject`; False if somebody judged it meanwhile."""
        with self._db.atomic():
            if not self.waits(reply_id) or self._rejected(reply_id):
                return False
            self._judgements.reject(reply_id, who)
            return True

    def skip(self, reply_id: int, who: str) -> bool:
        """Pass over a reply; False if it left the queue meanwhile. Raises :class:`Refused` for one marked as wrong:
        what is right has to be said some day."""
        with self._db.atomic():
            if not self.waits(reply_id):
                return False
            if self._rejected(reply_id):
                raise Refused("This reply is marked as wrong, so it stays in the queue until it is corrected.")
            self._db.run("INSERT INTO skips (reply_id, created_at, created_by) VALUES (?, ?, ?)", reply_id, now(), who)
            return True

    def _rejected(self, reply_id: int) -> bool:
        return self._db.one(f"SELECT 1 FROM replies r WHERE r.turn_id = ? AND {_WRONG}", reply_id) is not None
