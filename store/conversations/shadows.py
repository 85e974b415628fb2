"""Shadows: a version that answers real questions unseen, and what it said to them."""

from __future__ import annotations

from dataclasses import dataclass

from store.conversations.turns import CORRECTION
from store.database import Database
from store.errors import NotThere
from store.text import clean
from store.times import now
from store.words import ERASED, IMPORTED, Version


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a reply was sent to: the number of the ``reply`` and of the customer's ``message``, and its
    ``text``."""

    reply: int
    message: int
    text: str


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What a version said unseen, beside what was sent. ``sent_by``: the version that was; ``judgement``: what
    operators think of that, if anything; ``correction``: their better text for it, if one stands."""

    reply: int
    question: str
    sent: str
    sent_by: Version
    judgement: str | None
    correction: str | None
    said: str
    at: str


class Shadows:
    """The repository of ``desk.shadows``: a log whose last row says which version answers unseen, and its answers.

    Triggers end a shadow that is activated, removed, or learned what was erased, whoever writes that."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def current(self) -> Version | None:
        """The version that answers unseen; None: there is none."""
        row = self._db.one("SELECT version FROM shadows ORDER BY id DESC LIMIT 1")
        return None if row is None or row["version"] is None else Version(row["version"])

    def ended_because(self) -> str | None:
        """Why the last shadow ended, if it did not end by an operator's wish and no other came since."""
        row = self._db.one("SELECT version, why FROM shadows ORDER BY id DESC LIMIT 1")
        return row["why"] if row is not None and row["version"] is None else None

    def turn_on(self, version: Version, who: str) -> None:
        """Let *version* answer unseen what is answered from now on. Raises :class:`NotThere`."""
        with self._db.atomic():
            if self._db.one("SELECT 1 FROM adapter_versions WHERE name = ?", version) is None:
                raise NotThere(f"There is no version {version}.")
            if self.current() != version:
                self._log(version, None, who)

    def turn_off(self, who: str, why: str | None = None) -> None:
        """Let no version answer unseen. *why*: where no operator wished it."""
        with self._db.atomic():
            if self.current() is not None:
                self._log(None, why, who)

    def _log(self, version: Version | None, why: str | None, who: str) -> None:
        self._db.run(
            "INSERT INTO shadows (version, after_turn, why, at, who) "
            "VALUES (?, (SELECT coalesce(max(id), 0) FROM turns), ?, ?, ?)",
            version,
            why,
            now(),
            who,
        )

    def next(self) -> Asked | None:
        """The oldest reply since the shadow was turned on whose question it has not answered yet."""
        row = self._db.one(
            "WITH shadow AS (SELECT version, after_turn FROM shadows ORDER BY id DESC LIMIT 1) "
            "SELECT r.turn_id AS reply, m.id AS message, m.text FROM shadow s "
            "JOIN replies r ON r.turn_id > s.after_turn JOIN turns t ON t.id = r.turn_id "
            "JOIN turns m ON m.id = t.in_reply_to "
            "WHERE r.state = 'complete' AND r.version NOT IN (s.version, ?) AND m.text != ? AND NOT EXISTS "
            "(SELECT 1 FROM shadow_answers a WHERE a.reply_id = r.turn_id AND a.version = s.version) "
            "ORDER BY r.turn_id LIMIT 1",
            IMPORTED,
            ERASED,
        )
        return None if row is None else Asked(row["reply"], row["message"], row["text"])

    def keep(self, asked: Asked, version: Version, text: str) -> None:
        """Keep what *version* said, unless another app was first, or the question was changed (erased) meanwhile."""
        self._db.run(
            "INSERT OR IGNORE INTO shadow_answers (reply_id, version, text, at) "
            "SELECT ?, ?, ?, ? FROM turns WHERE id = ? AND text = ?",
            asked.reply,
            version,
            clean(text),
            now(),
            asked.message,
            asked.text,
        )

    def answers(self, version: Version) -> list[ShadowAnswer]:
        """Everything *version* said unseen, the newest first; not what was erased."""
        rows = self._db.all(
            f"SELECT a.reply_id, m.text AS question, t.text AS sent, r.version AS sent_by, r.judgement, "
            f"{CORRECTION} AS correction, a.text AS said, a.at FROM shadow_answers a "
            "JOIN turns t ON t.id = a.reply_id JOIN replies r ON r.turn_id = t.id JOIN turns m ON m.id = t.in_reply_to "
            "WHERE a.version = ? AND a.text != ? ORDER BY a.reply_id DESC",
            version,
            ERASED,
        )
        return [
            ShadowAnswer(
                row["reply_id"],
                row["question"],
                row["sent"],
                Version(row["sent_by"]),
                row["judgement"],
                row["correction"],
                row["said"],
                row["at"],
            )
            for row in rows
        ]
