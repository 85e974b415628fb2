"""What operators think of replies: corrections, approvals and rejections, and the pairs that come of them."""

from __future__ import annotations

from store.conversations import Conversations
from store.database import Database
from store.errors import Refused
from store.pairs import COUNTS, LIVE, SEEN_BY_ACTIVE, NewPair, Pairs, pair_of
from store.records import Pair, Turn
from store.text import clean
from store.times import now

# Where each word of replies.judgement comes from, and the column of a withdrawal that names it.
_TABLES = {
    "corrected": ("corrections", "correction_id"),
    "approved": ("approvals", "approval_id"),
    "rejected": ("rejections", "rejection_id"),
    "skipped": ("skips", "skip_id"),
}


class Judgements:
    """The repository of ``desk.judgements``."""

    def __init__(self, db: Database, conversations: Conversations, pairs: Pairs) -> None:
        self._db, self._conversations, self._pairs = db, conversations, pairs

    def correct(self, reply_id: int, text: str, who: str) -> Pair:
        """Keep a better text for a reply, as a pair that trains. The same text again is an approval.

        Raises :class:`Refused` for an empty text or an unfinished reply, :class:`NotThere`
        for an unknown one."""
        better = clean(text).strip()
        if not better:
            raise Refused("The correction is empty. Write what the bot should have said.")
        reply, message = self._judgeable(reply_id)
        if better == reply.proposed.strip():
            return self.approve(reply_id, who)
        with self._db.atomic():
            correction = self._db.insert(
                "INSERT INTO corrections (reply_id, text, created_at, created_by) VALUES (?, ?, ?, ?)",
                reply_id,
                better,
                now(),
                who,
            )
            new = NewPair(message.text, better, self._conversations.history(message.id))
            return self._keep(new, "correction", who, f"correction:{correction}", reply_id)

    def approve(self, reply_id: int, who: str) -> Pair:
        """Keep the word that a reply was good as it stood. Raises as :meth:`correct` does."""
        reply, message = self._judgeable(reply_id)
        if reply.reply is None or reply.reply.state != "complete":
            raise Refused("Only a complete reply can be approved. Correct it, or let the bot answer again.")
        with self._db.atomic():
            approval = self._db.insert(
                "INSERT INTO approvals (reply_id, created_at, created_by) VALUES (?, ?, ?)",
                reply_id,
                now(),
                who,
            )
            new = NewPair(message.text, reply.proposed, self._conversations.history(message.id))
            return self._keep(new, "approval", who, f"approval:{approval}", reply_id)

    def reject(self, reply_id: int, who: str) -> Turn:
        """Keep the word that a reply was wrong, without saying what is right. The pair of an approval that stood before
        is kept out; a later correction or approval stands in its place.

        Raises :class:`Refused` if that is known already, or the reply is not complete; :class:`NotThere` for an
        unknown one."""
        reply, _ = self._judgeable(reply_id)
        if reply.reply is None or reply.reply.state != "complete":
            raise Refused("Only a complete reply can be marked as wrong. Correct it, or let the bot answer again.")
        if reply.reply.correction is not None:
            raise Refused("This reply is corrected already, so it is known to be wrong.")
        if reply.reply.rejected:
            raise Refused("This reply is marked as wrong already. A correction says what would be right.")
        with self._db.atomic():
            self._db.run(
                "INSERT INTO rejections (reply_id, created_at, created_by) VALUES (?, ?, ?)", reply_id, now(), who
            )
            self._pairs.reject(reply_id, who)
        return self._conversations.turn(reply_id)

    def withdraw(self, reply_id: int, who: str) -> Turn:
        """Take the judgement of a reply that stands back; what stood before it stands again.

        Raises :class:`Refused` if none stands or a run has used it, :class:`NotThere` for an
        unknown reply."""
        with self._db.atomic():
            word = self._db.value("SELECT judgement FROM replies WHERE turn_id = ?", reply_id)
            if word is None:
                self._conversations.turn(reply_id)
                raise Refused("Nobody has judged this reply, so there is nothing to undo.")
            table, column = _TABLES[word]
            number = self._db.value(
                f"SELECT max(j.id) FROM {table} j WHERE j.reply_id = ? "
                f"AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.{column} = j.id)",
                reply_id,
            )
            if word == "rejected":
                self._pairs.unreject(reply_id, who)
            elif word != "skipped":
                self._pairs.withdraw(f"{table[:-1]}:{number}", reply_id, who)
            self._db.run(
                f"INSERT INTO withdrawals ({column}, created_at, created_by) VALUES (?, ?, ?)", number, now(), who
            )
        return self._conversations.turn(reply_id)

    def _keep(self, new: NewPair, source: str, who: str, ref: str, reply_id: int) -> Pair:
        pair = self._pairs.add(new, source, who, ref, reply_id)  # type: ignore[arg-type]
        assert pair is not None  # judgements are never dropped as duplicates
        self._pairs.supersede_of_reply(reply_id, pair.id)
        return pair

    def _judgeable(self, reply_id: int) -> tuple[Turn, Turn]:
        """The reply and the message it answers."""
        reply = self._conversations.turn(reply_id)
        if reply.reply is None or reply.in_reply_to is None:
            raise Refused(f"Turn {reply_id} is no reply of the bot.")
        if reply.reply.finished_at is None:
            raise Refused(
                "The reply is not finished: it is still being written, or the app was closed in the middle of it. "
                "Wait until it is finished, or ask the bot again; then judge that reply."
            )
        return reply, self._conversations.turn(reply.in_reply_to)

    def waiting(self) -> int:
        """How many corrections the active version was not trained on and the next run would be."""
        return int(self._db.value(f"SELECT count(*) FROM {self._waiting()}"))

    def _waiting(self) -> str:
        may_train = self._pairs.may_train()
        return f"pairs p WHERE {LIVE} AND {COUNTS} AND p.source = 'correction' AND {may_train} AND NOT {SEEN_BY_ACTIVE}"

    def waiting_pairs(self) -> list[Pair]:
        """Those corrections, as pairs, oldest first."""
        split = "(SELECT s.split FROM splits s WHERE s.key = p.key) AS split"
        rows = self._db.all(f"SELECT p.*, {split} FROM {self._waiting()} ORDER BY p.id")
        return [pair_of(row) for row in rows]

    def corrections_since_promotion(self) -> list[Pair]:
        """The corrections a gate reports on one by one: those the active version has not seen."""
        return self.waiting_pairs()
