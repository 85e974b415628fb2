"""What erasing does to the database: statements that can be counted before they are executed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from store.conversations import one_line
from store.database import Database
from store.erasing.columns import NAMES, columns
from store.erasing.subject import IN, Rows, numbers
from store.erasing.words import Words
from store.search import index_pair, index_turn
from store.text import segment
from store.times import now
from store.words import ERASED

EXCLUDED_BECAUSE = "erased"  # why a pair is excluded of which something was erased
SAID = frozenset({"turns", "replies", "corrections", "pairs", "judged_answers", "conversations", "settings", "recipes"})
OF_PAIRS = frozenset({("pairs", "instruction"), ("pairs", "output"), ("pairs", "history")})  # :func:`erase_pairs`


@dataclass(frozen=True, slots=True)
class Step:
    """A change of rows. ``name``: what operators call them; ``change`` None: they are deleted."""

    name: str
    table: str
    where: str
    change: str | None
    values: tuple[object, ...] = ()

    def count(self, db: Database) -> int:
        """How many rows it would change."""
        return int(db.value(f"SELECT count(*) FROM {self.table} WHERE {self.where}", *self.values))

    def do(self, db: Database) -> int:
        """Change them; how many they were."""
        sql = f"DELETE FROM {self.table}" if self.change is None else f"UPDATE {self.table} SET {self.change}"
        return db.run(f"{sql} WHERE {self.where}", *self.values).rowcount


@contextmanager
def speaking(db: Database, words: Words) -> Iterator[None]:
    """SQL functions that find *words* in values of columns, and take them out."""
    functions: dict[str, Callable[..., str | bool]] = {
        "has_words": words.hold,
        "no_words": words.without,
        "json_has_words": words.json_holds,
        "json_no_words": words.json_without,
        "title_has_words": words.hold_cut,
        "title_no_words": words.without_cut,
        "near_has_words": lambda title: words.hold_cut(title, 0.0),
        "near_no_words": lambda title: words.without_cut(title, 0.0),
    }
    try:
        for name, function in functions.items():
            db.conn.create_function(name, 1, function, deterministic=True)
        yield
    finally:
        with suppress(sqlite3.OperationalError):  # a statement that failed half-way may still hold them
            for name in functions:
                db.conn.create_function(name, 1, None)


def steps(db: Database, rows: Rows, everywhere: bool) -> list[Step]:
    """Everything that is changed but the pairs, which have :func:`erase_pairs`. *everywhere*: the words are looked for
    in all that was said; else only where what was said is copied to. To be used inside :func:`speaking`."""
    turns, conversations, pairs = numbers(rows.turns), numbers(rows.conversations), numbers(rows.pairs)
    found = [
        Step(NAMES["conversations"], "conversations", f"id {IN}",
             f"title = '{ERASED}', customer = NULL, source = CASE WHEN source LIKE 'import:%' THEN 'import:{ERASED}' "
             "ELSE source END, archived_at = coalesce(archived_at, strftime('%Y-%m-%dT%H:%M:%fZ'))", (conversations,)),
        Step(NAMES["turns"], "turns", f"id {IN} AND text != ''", f"text = '{ERASED}'", (turns,)),
        Step(NAMES["replies"], "replies", f"turn_id {IN} AND draft IS NOT NULL", f"draft = '{ERASED}'", (turns,)),
        Step("corrections", "corrections", f"reply_id {IN}", f"text = '{ERASED}'", (turns,)),
        Step(NAMES["judged_answers"], "judged_answers", f"pair_id {IN}",
             f"before = '{ERASED}', after = '{ERASED}', target = '{ERASED}'", (pairs,)),
        Step(NAMES["shadow_answers"], "shadow_answers",
             f"text != '{ERASED}' AND reply_id IN (SELECT id FROM turns WHERE id {IN} OR in_reply_to {IN})",
             f"text = '{ERASED}'", (turns, turns)),
        Step("tags", "tags", f"pair_id {IN}", None, (pairs,)),
        Step("drafts", "drafts", f"conversation_id {IN} OR reply_id {IN}", None, (conversations, turns)),
        Step("cached answers", "answers", "1", None),
    ]  # fmt: skip
    if everywhere:
        found.append(Step("tags", "tags", "has_words(tag)", None))
        found.append(Step(NAMES["conversations"], "conversations", f"id {IN} AND near_has_words(title)",
                          "title = near_no_words(title)", (numbers(rows.touched),)))  # fmt: skip
    found += _titles(db, rows)
    if rows.words:
        found += _found_words(db, rows, everywhere)
    return found


def _titles(db: Database, rows: Rows) -> list[Step]:
    """Titles that are the beginning of a message that goes as a whole, though its conversation stays."""
    first = "SELECT min(id) FROM turns WHERE role = 'customer' GROUP BY conversation_id"
    found = db.all(
        f"SELECT c.id, c.title, t.text FROM conversations c JOIN turns t ON t.conversation_id = c.id "
        f"WHERE t.id {IN} AND t.id IN ({first})",
        numbers(rows.turns),
    )
    titled = {row["id"] for row in found if row["title"] == one_line(row["text"])} - rows.conversations
    return [Step(NAMES["conversations"], "conversations", f"id {IN}", f"title = '{ERASED}'", (numbers(titled),))]


def _found_words(db: Database, rows: Rows, everywhere: bool) -> Iterator[Step]:
    """The words in every column that may hold some; not *everywhere*: but in what customers and pairs said."""
    for one in columns(db):
        if (not everywhere and one.table in SAID) or (one.table, one.column) in OF_PAIRS:
            continue
        title = (one.table, one.column) == ("conversations", "title")
        prefix = "title_" if title else "json_" if one.json else ""
        where = f"{one.only} AND {prefix}has_words({one.column})"
        if title:
            where += f" AND id NOT {IN}"  # those have had their step
        apart = " || ' ' || rowid" if (one.table, one.column) == ("recipes", "name") else ""  # names are unique
        values = (numbers(rows.touched),) if title else ()
        yield Step(one.name, one.table, where, f"{one.column} = {prefix}no_words({one.column}){apart}", values)


def erase_pairs(db: Database, rows: Rows, who: str) -> None:
    """Take the texts of the pairs out, their hashes and places in the index with them. What is left never trains."""
    for number in sorted(rows.learned):
        row = db.one(
            "SELECT p.*, s.split, s.used_by_run FROM pairs p JOIN splits s ON s.key = p.key WHERE p.id = ?", number
        )
        assert row is not None
        if number in rows.pairs:
            instruction, history, output, category, ref = ERASED, "[]", ERASED, None, None
        else:
            words = rows.words
            instruction, output = words.without(row["instruction"]), words.without(row["output"])
            history = words.json_without(row["history"])
            category, ref = (None if words.hold(text) else text for text in (row["category"], row["source_ref"]))
        if row["source"] in ("correction", "approval"):
            ref = row["source_ref"]  # the number of the judgement
        key = f"{EXCLUDED_BECAUSE}:{number}"
        db.run("INSERT OR IGNORE INTO splits (key, split, reason, decided_at, used_by_run) VALUES (?, ?, ?, ?, ?)",
               key, row["split"], EXCLUDED_BECAUSE, now(), row["used_by_run"])  # fmt: skip
        db.run(
            "UPDATE pairs SET instruction = ?, history = ?, output = ?, category = ?, source_ref = ?, key = ?, "
            "content_sha256 = ?, pinned = 0, excluded_at = coalesce(excluded_at, ?), excluded_by = ?, "
            "excluded_why = ?, erased_at = ? WHERE id = ?",
            instruction, history, output, category, ref, key, key, now(), who, EXCLUDED_BECAUSE, now(), number,
        )  # fmt: skip
        db.run("DELETE FROM personal_data WHERE pair_id = ?", number)
        db.run("DELETE FROM pairs_text WHERE rowid = ?", number)
        index_pair(db, number, segment(f"{instruction}\n{output}"))
        if not db.one("SELECT 1 FROM pairs WHERE key = ?", row["key"]):
            db.run("DELETE FROM splits WHERE key = ?", row["key"])


def close_up(db: Database, rows: Rows) -> None:
    """What goes along without being told: a reply that is still being written ends here, so that its app keeps no more
    of it; and a digest by which the whole of an imported conversation was known, and its text could be guessed."""
    touched = numbers(rows.touched)
    db.run(
        "UPDATE replies SET finished_at = ? WHERE finished_at IS NULL AND turn_id IN "
        f"(SELECT id FROM turns WHERE conversation_id {IN})", now(), touched,
    )  # fmt: skip
    db.run(
        "UPDATE conversations SET source = substr(source, 1, length(source) - 24) || lower(hex(randomblob(12))) "
        f"WHERE source LIKE 'import:%#________________________' AND id {IN}", touched,
    )  # fmt: skip


def index_again(db: Database, turns: set[int]) -> None:
    """The texts of *turns* as they are now, in the index."""
    for row in db.all(f"SELECT id, text FROM turns WHERE id {IN}", numbers(turns)):
        index_turn(db, row["id"], row["text"])


@contextmanager
def may_change(db: Database) -> Iterator[None]:
    """Inside a transaction: without the triggers that keep rows as they were written. They are put back at the end;
    if that fails, nothing of the transaction is kept."""
    guards = db.all("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%'")
    for name, _ in guards:
        db.run(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in guards:
        db.run(sql)
