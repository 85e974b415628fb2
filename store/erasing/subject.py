"""What is to be erased, and which rows of a desk that means."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from store.database import Database
from store.erasing.words import SHORTEST, Words, normal
from store.errors import DeskError
from store.text import visible

Kind = Literal["customer", "conversation", "pair", "text"]
LONG_ENOUGH = 12  # normalised characters of a text that is looked for in logs and events: shorter ones are anybody's


class NotErased(DeskError):
    """Something that can't be erased, or not wholly; the sentence says what was changed."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A customer (by the mark kept at conversations), one conversation, one pair with all it came of, or a text
    wherever it is. Make it with the functions of its kinds."""

    kind: Kind
    text: str = field(default="", repr=False)
    number: int = 0

    @classmethod
    def of_text(cls, text: str) -> Subject:
        """A text. Raises :class:`NotErased` for one that is in every other sentence."""
        letters = normal(text).replace(" ", "")
        if len(letters) < SHORTEST:
            raise NotErased(
                f"A text to erase needs at least {SHORTEST} letters, or it would be found everywhere. "
                "Nothing was changed; give a longer text."
            )
        return cls("text", text)

    @classmethod
    def of_customer(cls, mark: str) -> Subject:
        """A customer. Raises :class:`NotErased` for an empty mark."""
        if not visible(mark):
            raise NotErased("A customer needs a name or a number. Nothing was changed.")
        return cls("customer", mark)


@dataclass(slots=True)
class Rows:
    """The rows that are concerned. ``turns``, ``conversations`` and ``pairs`` are erased as a whole; ``words``: what
    is taken out of everything else; ``saying``: turns that keep the rest of their text; ``touched``: conversations of
    which something goes; ``holding``: pairs that keep the rest of their text."""

    words: Words
    conversations: set[int] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    pairs: set[int] = field(default_factory=set)
    saying: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    holding: set[int] = field(default_factory=set)

    @property
    def learned(self) -> set[int]:
        """Every pair that is not what it was."""
        return self.pairs | self.holding


def numbers(ids: Iterable[int]) -> str:
    """*ids* as the JSON that ``json_each`` reads: thousands of them don't fit into a list of values."""
    return f"[{','.join(map(str, sorted(ids)))}]"


IN = "IN (SELECT value FROM json_each(?))"


def rows_of(db: Database, subject: Subject) -> Rows:
    """Which rows *subject* means. Raises :class:`NotErased` if there is no such conversation or pair."""
    if subject.kind == "text":
        return _of_text(db, Words([subject.text]))
    if subject.kind == "pair":
        return _of_pair(db, subject.number)
    if subject.kind == "conversation":
        if db.one("SELECT 1 FROM conversations WHERE id = ?", subject.number) is None:
            raise NotErased(f"There is no conversation {subject.number}. Nothing was changed.")
        return _of_conversations(db, {subject.number})
    wanted = normal(subject.text)
    marked = db.all("SELECT id, customer FROM conversations WHERE customer IS NOT NULL")
    return _of_conversations(db, {row["id"] for row in marked if normal(row["customer"]) == wanted})


def _of_text(db: Database, words: Words) -> Rows:
    rows = Rows(words)
    said = [row for row in db.all("SELECT id, conversation_id, text FROM turns") if words.hold(row["text"])]
    rows.saying, rows.touched = {row["id"] for row in said}, {row["conversation_id"] for row in said}
    corrected = db.all("SELECT t.conversation_id, c.text FROM corrections c JOIN turns t ON t.id = c.reply_id")
    drafted = db.all(
        "SELECT t.conversation_id, r.draft AS text FROM replies r JOIN turns t ON t.id = r.turn_id "
        "WHERE r.draft IS NOT NULL"
    )
    rows.touched |= {row["conversation_id"] for row in [*corrected, *drafted] if words.hold(row["text"])}
    rows.holding = {
        row["id"]
        for row in db.all("SELECT id, instruction, output, history FROM pairs")
        if words.hold(row["instruction"]) or words.hold(row["output"]) or words.json_holds(row["history"])
    }
    return rows


def _of_conversations(db: Database, conversations: set[int]) -> Rows:
    turns = _ids(db, "SELECT id FROM turns WHERE conversation_id " + IN, conversations)
    pairs = _ids(db, "SELECT id FROM pairs WHERE reply_id " + IN, turns)
    pairs |= _copied(db, conversations)
    pairs = _chains(db, pairs)
    repeated = _repeated(db, pairs)
    touched = conversations | _ids(db, "SELECT conversation_id FROM turns WHERE id " + IN, repeated)
    rows = Rows(Words([]), conversations, turns | repeated, pairs, touched=touched)
    rows.words = Words(_said(db, rows))
    rows.holding = _came_of(db, rows, repeated)
    return rows


def _of_pair(db: Database, number: int) -> Rows:
    row = db.one("SELECT reply_id FROM pairs WHERE id = ?", number)
    if row is None:
        raise NotErased(f"There is no pair {number}. Nothing was changed.")
    pairs = _chains(db, {number})
    replies = _ids(db, "SELECT DISTINCT reply_id FROM pairs WHERE reply_id IS NOT NULL AND id " + IN, pairs)
    replies |= _exchanges(db, pairs)
    messages = _ids(db, "SELECT in_reply_to FROM turns WHERE id " + IN, replies)
    answers = _ids(db, "SELECT id FROM turns WHERE in_reply_to " + IN, messages)
    pairs |= _chains(db, _ids(db, "SELECT id FROM pairs WHERE reply_id " + IN, answers))
    repeated = _repeated(db, pairs)
    turns = messages | answers | repeated
    touched = _ids(db, "SELECT DISTINCT conversation_id FROM turns WHERE id " + IN, turns)
    rows = Rows(Words([]), set(), turns, pairs, touched=touched)
    rows.words = Words(_said(db, rows))
    rows.holding = _going_on_from(db, rows) | _came_of(db, rows, repeated)
    return rows


def _ids(db: Database, sql: str, of: set[int]) -> set[int]:
    return {row[0] for row in db.all(sql, numbers(of))}


def _chains(db: Database, pairs: set[int]) -> set[int]:
    """*pairs* with what they stand in the place of, and what stands in theirs: it says the same in other words."""
    while True:
        more = pairs | _ids(db, f"SELECT id FROM pairs WHERE superseded_by {IN}", pairs)
        more |= _ids(db, f"SELECT superseded_by FROM pairs WHERE superseded_by IS NOT NULL AND id {IN}", pairs)
        if more == pairs:
            return pairs
        pairs = more


def _repeated(db: Database, pairs: set[int]) -> set[int]:
    """The replies that are one of *pairs* word for word, since it was a correction that answered at once."""
    return _ids(db, "SELECT turn_id FROM replies WHERE from_correction " + IN, pairs)


def _came_of(db: Database, rows: Rows, repeated: set[int]) -> set[int]:
    """Pairs that operators made of *repeated* replies, as far as they hold what is erased."""
    made = db.all(f"SELECT id, output FROM pairs WHERE reply_id {IN}", numbers(repeated))
    return {row["id"] for row in made if row["id"] not in rows.pairs and rows.words.hold(row["output"])}


_EXCHANGES = """
SELECT m.conversation_id, b.id AS reply, m.text AS customer, b.text AS bot
FROM turns b JOIN turns m ON m.id = b.in_reply_to
"""


def _copied(db: Database, conversations: set[int]) -> set[int]:
    """Pairs of a file that brought one of *conversations* along: they hold the same exchange after the same ones."""
    found: set[int] = set()
    for number in conversations:
        said = db.all(f"{_EXCHANGES} WHERE m.conversation_id = ? ORDER BY b.id", number)
        before: set[tuple[str, str]] = set()
        for row in said:
            same = "SELECT id, history FROM pairs WHERE reply_id IS NULL AND instruction = ? AND output = ?"
            for pair in db.all(same, row["customer"], row["bot"]):
                history = {(customer, bot) for customer, bot in _exchanges_in(pair["history"])}
                if history <= before and bool(history) == bool(before):
                    found.add(pair["id"])
            before.add((row["customer"], row["bot"]))
    return found


def _exchanges(db: Database, pairs: set[int]) -> set[int]:
    """The replies of imported conversations that say what one of *pairs* says to the same message."""
    return _ids(
        db,
        "SELECT b.id FROM pairs p JOIN turns m ON m.text = p.instruction AND m.role = 'customer' "
        "JOIN turns b ON b.in_reply_to = m.id AND b.text = p.output JOIN replies r ON r.turn_id = b.id "
        f"WHERE p.reply_id IS NULL AND r.version = 'imported' AND p.id {IN}",
        pairs,
    )


def _going_on_from(db: Database, rows: Rows) -> set[int]:
    """Pairs of the same conversations (or the same file) that have what is erased in their history."""
    near = _ids(
        db,
        f"SELECT p.id FROM pairs p JOIN turns t ON t.id = p.reply_id WHERE t.conversation_id {IN}",
        rows.touched,
    )
    near |= _ids(
        db,
        "SELECT id FROM pairs WHERE reply_id IS NULL AND history != '[]' AND source_ref IN "
        f"(SELECT source_ref FROM pairs WHERE reply_id IS NULL AND id {IN})",
        rows.pairs,
    )
    told = db.all(f"SELECT id, history FROM pairs WHERE id {IN}", numbers(near - rows.pairs))
    return {row["id"] for row in told if rows.words.json_holds(row["history"])}


def _exchanges_in(history: str) -> list[tuple[str, str]]:
    return [(str(customer), str(bot)) for customer, bot in json.loads(history)]


def _said(db: Database, rows: Rows) -> list[str]:
    """The texts that are erased, as far as they are long enough to be somebody's own."""
    turns, pairs = numbers(rows.turns), numbers(rows.pairs)
    texts = [row[0] for row in db.all(f"SELECT text FROM turns WHERE id {IN}", turns)]
    texts += [row[0] for row in db.all(f"SELECT text FROM corrections WHERE reply_id {IN}", turns)]
    texts += [row[0] for row in db.all(f"SELECT draft FROM replies WHERE draft IS NOT NULL AND turn_id {IN}", turns)]
    for row in db.all(f"SELECT instruction, output FROM pairs WHERE id {IN}", pairs):
        texts += [row["instruction"], row["output"]]
    texts += [row[0] for row in db.all(f"SELECT customer FROM conversations WHERE customer IS NOT NULL AND id {IN}",
                                       numbers(rows.conversations))]  # fmt: skip
    return [text for text in texts if len(normal(text)) >= LONG_ENOUGH]
