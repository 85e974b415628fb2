"""Turns on their way in: a reply's beginning is kept before there is a word of it, its end once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.conversations.turns import Turns
from store.errors import Refused
from store.records import Turn
from store.search import index_turn
from store.text import clean
from store.times import now
from store.words import IMPORTED, ReplyState, Version


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured while a reply was generated. ``certainty``: the mean natural logarithm of its tokens'
    probabilities; ``chance`` and ``answer_from``: see :class:`store.records.Reply`."""

    new_tokens: int | None = None
    seconds: float | None = None
    first_token_seconds: float | None = None
    certainty: float | None = None
    chance: float | None = None
    answer_from: float | None = None


NOT_MEASURED = Measured()


class Replies(Turns):
    """The part of ``desk.conversations`` that writes turns."""

    def begin_reply(self, customer_turn_id: int, version: Version, decoding: dict[str, Any], who: str = "bot") -> Turn:
        """The row of a reply that is about to be written. It counts as failed until it is finished, so that a
        crash at any moment leaves the truth behind."""
        message = self.turn(customer_turn_id)
        if message.role != "customer":
            raise Refused("Only a customer's message can be answered.")
        with self._db.atomic():
            number = self._add(message.conversation_id, "bot", "", customer_turn_id, who)
            self._db.run(
                "INSERT INTO replies (turn_id, version, decoding) VALUES (?, ?, ?)",
                number,
                version,
                json.dumps(decoding, sort_keys=True),
            )
        return self.turn(number)

    def known_reply(self, customer_turn_id: int, version: Version, text: str, pair_id: int) -> Turn:
        """A whole reply in the words of the correction whose pair is *pair_id*. *version*: the active one, which was
        not asked."""
        with self._db.atomic():
            reply = self.begin_reply(customer_turn_id, version, {})
            self._db.run("UPDATE replies SET from_correction = ? WHERE turn_id = ?", pair_id, reply.id)
            return self.finish_reply(reply.id, text, "complete")

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
                "certainty = ?, chance = ?, answer_from = ? WHERE turn_id = ? AND finished_at IS NULL",
                state,
                now(),
                measured.new_tokens,
                measured.seconds,
                measured.first_token_seconds,
                measured.certainty,
                measured.chance,
                measured.answer_from,
                reply_id,
            ).rowcount
            if not done:
                raise Refused(f"Reply {reply_id} is finished already, or is no reply.")
            said = clean(text)
            self._db.run("UPDATE turns SET text = ? WHERE id = ?", said, reply_id)
            index_turn(self._db, reply_id, said)
        return self.turn(reply_id)

    def hand_over(self, reply_id: int, sentence: str) -> Turn:
        """Leave a customer's message to the people: *sentence* is said in place of a complete reply, whose text is kept
        as the draft. It waits at the top of the review queue.

        Raises :class:`Refused` for a reply that is not complete, is handed over already, or was judged."""
        said = clean(sentence).strip()
        with self._db.atomic():
            done = self._db.run(
                "UPDATE replies SET handed_over = 1, draft = (SELECT t.text FROM turns t WHERE t.id = turn_id) "
                "WHERE turn_id = ? AND state = 'complete' AND handed_over = 0 AND judgement IS NULL",
                reply_id,
            ).rowcount
            if not done:
                raise Refused(f"Reply {reply_id} can't be handed over: only a complete reply nobody has judged can.")
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
