"""The list of conversations: narrowed by a filter and by words, read in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from store.conversations import conversation_of
from store.conversations.review import TO_REVIEW
from store.database import Database
from store.records import Conversation
from store.search import match_expression
from store.text import clean
from store.times import midnight

Show = Literal["all", "needs review", "corrected", "approved", "failed", "mine", "today", "archived"]
SHOWS: tuple[Show, ...] = get_args(Show)

_REPLIES = "SELECT t.conversation_id FROM replies r JOIN turns t ON t.id = r.turn_id WHERE"
# What is common is looked for conversation by conversation, what is rare reply by reply.
_FILTERS: dict[Show, str] = {
    "all": "1",
    "needs review": f"EXISTS (SELECT 1 FROM turns t JOIN replies r ON r.turn_id = t.id WHERE t.conversation_id = c.id "
    f"AND {TO_REVIEW})",
    "corrected": f"c.id IN ({_REPLIES} r.judgement = 'corrected')",
    "approved": f"c.id IN ({_REPLIES} r.judgement = 'approved')",
    "failed": f"c.id IN ({_REPLIES} r.state != 'complete' AND r.state = 'failed' AND r.finished_at IS NOT NULL)",
    "mine": "c.created_by = :who",
    "today": "c.id IN (SELECT conversation_id FROM turns WHERE created_at >= :since)",
    "archived": "1",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation as a row of the list, with how many of its replies are what."""

    conversation: Conversation
    to_review: int = 0
    corrected: int = 0
    approved: int = 0
    failed: int = 0


class Listing:
    """The repository of ``desk.listing``: first the ids of everything that fits, then the rows that are looked at."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def ids(self, show: Show = "all", query: str = "", who: str = "") -> list[int]:
        """The conversations that fit, the latest first. *query*: with a turn that matches, or a title that contains
        it. *who*: the operator for whom *mine* is meant."""
        where = [f"c.archived_at IS {'NOT NULL' if show == 'archived' else 'NULL'}", _FILTERS[show]]
        values: dict[str, str] = {"who": who, "since": midnight()}
        if words := clean(query).strip():
            said = (
                "SELECT conversation_id FROM turns WHERE id IN (SELECT rowid FROM turns_text WHERE body MATCH :words)"
            )
            expression = match_expression(words)
            where.append(f"(c.title LIKE :title ESCAPE '\\'{f' OR c.id IN ({said})' if expression else ''})")
            values |= {"title": f"%{_like(words)}%", "words": expression or ""}
        rows = self._db.named(
            f"SELECT c.id FROM conversations c WHERE {' AND '.join(where)} ORDER BY c.id DESC", values
        )
        return [row[0] for row in rows]

    def rows(self, ids: Sequence[int]) -> list[Listed]:
        """The rows of some conversations, in the order of *ids*."""
        marks = ",".join("?" * len(ids))
        counts = {
            row["conversation_id"]: row
            for row in self._db.all(
                f"""
SELECT t.conversation_id, sum({TO_REVIEW}) AS to_review, sum(r.judgement = 'corrected') AS corrected,
    sum(r.judgement = 'approved') AS approved, sum(r.state = 'failed' AND r.finished_at IS NOT NULL) AS failed
FROM turns t JOIN replies r ON r.turn_id = t.id WHERE t.conversation_id IN ({marks}) GROUP BY t.conversation_id
""",
                *ids,
            )
        }
        found = {}
        for row in self._db.all(f"SELECT * FROM conversations WHERE id IN ({marks})", *ids):
            count = counts.get(row["id"])
            names = ("to_review", "corrected", "approved", "failed")
            found[row["id"]] = Listed(conversation_of(row), *((count[name] or 0) if count else 0 for name in names))
        return [found[number] for number in ids if number in found]


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
