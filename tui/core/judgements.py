"""What operators make of replies: corrections, approvals, rejections, and the queue of those that need one."""

from __future__ import annotations

from collections.abc import Collection

from store.conversations.review import Order, Progress, ReviewItem
from store.desk import Desk
from store.records import Pair, Turn
from tui.core.beside import Beside

__all__ = ["JudgementDesk", "Order", "Progress", "ReviewDesk", "ReviewItem"]


class JudgementDesk:
    """Judging replies, for one operator."""

    def __init__(self, store: Desk, who: str) -> None:
        self._store, self._who = store, who

    def correct(self, reply_id: int, text: str) -> Pair:
        """Keep the operator's better text for a reply. Raises :class:`DeskError`."""
        return self._store.judgements.correct(reply_id, text, self._who)

    def approve(self, reply_id: int) -> Pair:
        """Approve a reply as it is. Raises :class:`DeskError`."""
        return self._store.judgements.approve(reply_id, self._who)

    def reject(self, reply_id: int) -> Turn:
        """Mark a reply as wrong, without saying what is right. Raises :class:`DeskError`."""
        return self._store.judgements.reject(reply_id, self._who)

    def withdraw(self, reply_id: int) -> Turn:
        """Take back the judgement of a reply, until a run has used it. Raises :class:`DeskError`."""
        return self._store.judgements.withdraw(reply_id, self._who)

    def waiting(self) -> int:
        """How many corrections wait for training."""
        return self._store.judgements.waiting()


class ReviewDesk:
    """The review queue, for one operator. Nothing is reserved: who judges first, judges."""

    def __init__(self, store: Desk, beside: Beside, who: str) -> None:
        self._store, self._beside, self._who = store, beside, who

    def next(self, order: Order = "oldest", later: Collection[int] = ()) -> ReviewItem | None:
        """The first of the queue but for *later*, which come at its end; None if it is empty."""
        return self._store.review.next(order, later)

    def item(self, reply_id: int) -> ReviewItem:
        """One reply as the queue shows it, whether it waits or not."""
        return self._store.review.item(reply_id)

    def waits(self, reply_id: int) -> bool:
        """Whether nobody has judged it yet, or only marked it as wrong."""
        return self._store.review.waits(reply_id)

    async def progress(self) -> Progress:
        """How far the desk's operators are."""
        return await self._beside.read(lambda store: store.review.progress())

    def approve(self, reply_id: int) -> Pair | None:
        """Approve a reply; None if somebody else judged it before. Raises :class:`DeskError`."""
        return self._store.review.approve(reply_id, self._who)

    def correct(self, reply_id: int, text: str) -> Pair | None:
        """Keep a better text; None if somebody else judged it before. Raises :class:`DeskError`."""
        return self._store.review.correct(reply_id, text, self._who)

    def reject(self, reply_id: int) -> bool:
        """Mark a reply as wrong, which keeps it in the queue; False if somebody else judged it before. Raises
        :class:`DeskError`."""
        return self._store.review.reject(reply_id, self._who)

    def skip(self, reply_id: int) -> bool:
        """Pass over it; False if somebody else judged it before. Raises :class:`DeskError`."""
        return self._store.review.skip(reply_id, self._who)
