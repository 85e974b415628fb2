"""Judging replies, in the chat and in the review queue alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from store.records import Turn
from tui.core.errors import DeskError
from tui.core.events import Notice, ReplyJudged
from tui.core.open_desk import OpenDesk

Judged = Literal["kept", "theirs", "refused"]
CORRECTED = "The correction is saved. The bot learns it at the next {desk.retrain}. {desk.take_back} undoes it."
APPROVED = "Approved. {desk.take_back} undoes it."
WRONG = "Marked as wrong. {desk.correct} says what would be right; {desk.take_back} undoes it."
THEIRS = "Somebody judged this reply a moment ago; their judgement is kept."


class Judging:
    """Keeps what an operator says about a reply, and publishes it; what can't be kept is published as a notice. Nothing
    waits here, so that a key judges the reply that was seen when it was pressed.

    *queued*: the reply is from the queue, and is left alone if somebody judged it meanwhile. Returned is whether the
    judgement is ``kept``, that of somebody else stands (``theirs``), or it could not be kept (``refused``)."""

    def __init__(self, desk: OpenDesk) -> None:
        self._desk = desk

    def correct(self, reply: int, text: str, *, queued: bool = False) -> Judged:
        """*text* is what the reply should have said; the reply's own text is an approval."""
        desk = self._desk

        def judge() -> str | None:
            pair = (desk.review if queued else desk.judgements).correct(reply, text)
            return None if pair is None else CORRECTED if pair.source == "correction" else APPROVED

        return self._keep(reply, judge, queued)

    def approve(self, reply: int, *, queued: bool = False) -> Judged:
        """The reply is good as it is."""
        desk = self._desk

        def judge() -> str | None:
            return None if (desk.review if queued else desk.judgements).approve(reply) is None else APPROVED

        return self._keep(reply, judge, queued)

    def reject(self, reply: int, *, queued: bool = False) -> Judged:
        """The reply is wrong, whatever would be right."""
        desk = self._desk
        return self._keep(
            reply, lambda: WRONG if (desk.review if queued else desk.judgements).reject(reply) else None, queued
        )

    def skip(self, reply: int) -> Judged:
        """Nobody is to be asked about a reply of the queue again."""
        desk = self._desk
        return self._keep(reply, lambda: "" if desk.review.skip(reply) else None, True)

    def withdraw(self, reply: int, *, queued: bool = False) -> Judged:
        """Undo the judgement of a reply, until a run has used it."""
        desk = self._desk
        return self._keep(reply, lambda: f"Undone. {_standing(desk.judgements.withdraw(reply))}", queued)

    def _keep(self, reply: int, judge: Callable[[], str | None], queued: bool) -> Judged:
        """Have a judgement kept by *judge*, which returns the sentence for it, or None if it found another one."""
        try:
            sentence = judge()
        except DeskError as error:
            self._desk.changes.publish(Notice(error.sentence, trouble=True))
            return "refused"
        if sentence is None:
            self._desk.changes.publish(Notice(THEIRS))
            return "theirs"
        self._desk.changes.publish(ReplyJudged(reply, sentence, queued))
        return "kept"


def _standing(turn: Turn) -> str:
    reply = turn.reply
    if reply is None or not reply.judged:
        return "The reply is not judged now."
    word = "corrected" if reply.correction else "approved" if reply.approved else "marked as wrong"
    return f"The reply is {word} now."
