"""Pairs and the side they are on. The side belongs to the question, so one question can't be on both."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from store.database import Database, Row
from store.records import Conflict, Exchange, Pair, Source, Split, now
from store.search import hits, index_pair
from store.settings import SettingsTable
from store.text import clean, content_hash, detect_language, split_key

LIVE = "p.excluded_at IS NULL AND p.superseded_by IS NULL"
# The version that answers now was trained on the pair. After a rollback what it had not seen waits again.
SEEN_BY_ACTIVE = """EXISTS (SELECT 1 FROM run_pairs rp JOIN adapter_versions v ON v.run_id = rp.run_id
    WHERE rp.pair_id = p.id AND rp.split = 'train'
    AND v.name = (SELECT version FROM promotions ORDER BY id DESC LIMIT 1))"""
# Where a question has corrections, only the newest of them counts: the operator's last word.
COUNTS = """p.id = coalesce((SELECT max(c.id) FROM pairs c WHERE c.key = p.key AND c.source = 'correction'
    AND c.excluded_at IS NULL AND c.superseded_by IS NULL), p.id)"""
_PAIR = "SELECT p.*, s.split FROM pairs p JOIN splits s ON s.key = p.key"

State = Literal["live", "excluded", "superseded", "all"]
_STATES: dict[State, str] = {
    "live": LIVE,
    "excluded": "p.excluded_at IS NOT NULL",
    "superseded": "p.superseded_by IS NOT NULL",
    "all": "1",
}


@dataclass(frozen=True, slots=True)
class NewPair:
    """A pair on its way in. ``split`` None: the side is decided by the keyed hash of the question."""

    instruction: str
    output: str
    history: tuple[Exchange, ...] = ()
    category: str | None = None
    lang: str | None = None
    split: Split | None = None


class Pairs:
    """The repository of ``desk.pairs``. Unknown ids raise :class:`LookupError`."""

    def __init__(self, db: Database, settings: SettingsTable) -> None:
        self._db, self._settings = db, settings

    # -- adding ------------------------------------------------------------------------------------
    def add(
        self,
        new: NewPair,
        source: Source,
        who: str,
        source_ref: str | None = None,
        reply_id: int | None = None,
    ) -> Pair | None:
        """Add one pair; None if exactly this pair is live already.

        A correction always trains: where its question was a test, the old test pairs are excluded first.
        Raises :class:`ValueError` with a sentence if a side is empty."""
        instruction, output = clean(new.instruction).strip(), clean(new.output).strip()
        exchanges = ((clean(customer).strip(), clean(bot).strip()) for customer, bot in new.history)
        history = tuple(exchange for exchange in exchanges if all(exchange))  # half an exchange teaches nothing
        if not instruction or not output:
            raise ValueError(f"The {'instruction' if not instruction else 'output'} is empty.")
        digest = content_hash(instruction, history, output)
        with self._db.atomic():
            if source != "correction" and source != "approval" and self._known(digest):
                return None
            key = split_key(self._settings.secret(), instruction, history)
            self._decide_side(key, source, new.split, who)
            number = self._db.insert(
                "INSERT INTO pairs (key, content_sha256, instruction, history, output, lang, category, source, "
                "source_ref, reply_id, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                key,
                digest,
                instruction,
                json.dumps(history, ensure_ascii=False),
                output,
                new.lang or detect_language(f"{instruction} {output}"),
                new.category,
                source,
                source_ref,
                reply_id,
                now(),
                who,
            )
            index_pair(self._db, number, instruction, output)
            return self.get(number)

    def add_many(
        self, news: Iterable[NewPair], source: Source, who: str, source_ref: str | None = None
    ) -> tuple[int, int]:
        """Add all of them or, if the iterable raises, none; returns (added, exact duplicates)."""
        added = duplicates = 0
        with self._db.atomic():
            for new in news:
                if self.add(new, source, who, source_ref) is None:
                    duplicates += 1
                else:
                    added += 1
        return added, duplicates

    def _known(self, digest: str) -> bool:
        return self._db.one(f"SELECT 1 FROM pairs p WHERE content_sha256 = ? AND {LIVE}", digest) is not None

    def _decide_side(self, key: str, source: Source, wanted: Split | None, who: str) -> None:
        side = self._db.value("SELECT split FROM splits WHERE key = ?", key)
        if source == "correction":
            if side == "heldout":
                self._db.run(
                    "UPDATE pairs SET excluded_at = ?, excluded_by = ?, excluded_why = 'corrected' "
                    "WHERE key = ? AND excluded_at IS NULL AND superseded_by IS NULL",
                    now(),
                    who,
                    key,
                )
            self._set_side(key, "train", "correction")
        elif side is None:
            if wanted is not None:
                self._set_side(key, wanted, "import")
            else:
                share = self._settings.load().heldout_share
                self._set_side(key, "heldout" if int(key[:8], 16) / 2**32 < share else "train", "hash")

    def _set_side(self, key: str, side: Split, reason: str) -> None:
        self._db.run(
            "INSERT INTO splits (key, split, reason, decided_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET split = excluded.split, reason = excluded.reason, "
            "decided_at = excluded.decided_at WHERE split != excluded.split",
            key,
            side,
            reason,
            now(),
        )

    def supersede_of_reply(self, reply_id: int, pair_id: int) -> None:
        """Let the newest judgement of a reply be the only one that counts."""
        self._db.run(
            "UPDATE pairs SET superseded_by = ? WHERE reply_id = ? AND id != ? AND superseded_by IS NULL",
            pair_id,
            reply_id,
            pair_id,
        )

    # -- looking -----------------------------------------------------------------------------------
    def get(self, pair_id: int) -> Pair:
        """One pair, live or not."""
        row = self._db.one(f"{_PAIR} WHERE p.id = ?", pair_id)
        if row is None:
            raise LookupError(f"There is no pair {pair_id}.")
        return pair_of(row)

    def list(
        self,
        split: Split | None = None,
        source: Source | None = None,
        lang: str | None = None,
        state: State = "live",
        query: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> builtins.list[Pair]:
        """Pairs in the order they came in, narrowed by what is given; *query* is full text."""
        where, values = self._where(split, source, lang, state, query)
        rows = self._db.all(
            f"{_PAIR} WHERE {where} ORDER BY p.id LIMIT ? OFFSET ?",
            *values,
            -1 if limit is None else limit,
            offset,
        )
        return [pair_of(row) for row in rows]

    def count(
        self,
        split: Split | None = None,
        source: Source | None = None,
        lang: str | None = None,
        state: State = "live",
        query: str | None = None,
    ) -> int:
        """How many pairs :meth:`list` would give without a limit."""
        where, values = self._where(split, source, lang, state, query)
        return int(
            self._db.value(f"SELECT count(*) FROM pairs p JOIN splits s ON s.key = p.key WHERE {where}", *values)
        )

    def _where(
        self, split: Split | None, source: Source | None, lang: str | None, state: State, query: str | None
    ) -> tuple[str, builtins.list[object]]:
        where, values = [_STATES[state]], list[object]()
        for column, value in (("s.split", split), ("p.source", source), ("p.lang", lang)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if query and query.strip():
            found, words = hits("pairs_text", query)
            where.append(f"p.id IN ({found})")
            values += words
        return " AND ".join(where), values

    def conflicts(self) -> builtins.list[Conflict]:
        """Questions that would be trained on with more than one answer. A correction settles such a question."""
        keys = self._db.all(
            f"SELECT p.key FROM pairs p JOIN splits s ON s.key = p.key WHERE {LIVE} AND {COUNTS} "
            "AND s.split = 'train' GROUP BY p.key HAVING count(DISTINCT p.output) > 1 ORDER BY min(p.id)"
        )
        return [
            Conflict(
                row["key"],
                tuple(
                    pair_of(r) for r in self._db.all(f"{_PAIR} WHERE p.key = ? AND {LIVE} ORDER BY p.id", row["key"])
                ),
            )
            for row in keys
        ]

    def training_set(self) -> builtins.list[tuple[Pair, bool]]:
        """Every pair a run would train on, each with whether it is new: a correction the
        active version has not seen. Of several corrections of one question the newest counts."""
        rows = self._db.all(
            f"""
SELECT p.*, s.split, p.source = 'correction' AND NOT {SEEN_BY_ACTIVE} AS is_new
FROM pairs p JOIN splits s ON s.key = p.key
WHERE {LIVE} AND s.split = 'train' AND {COUNTS} ORDER BY p.id
"""
        )
        return [(pair_of(row), bool(row["is_new"])) for row in rows]

    def heldout_set(self) -> builtins.list[Pair]:
        """Every pair a gate would judge by."""
        return self.list(split="heldout")

    # -- changing ----------------------------------------------------------------------------------
    def exclude(self, pair_id: int, who: str, why: str | None = None) -> Pair:
        """Keep a pair out of training and gate; nothing is deleted."""
        self.get(pair_id)
        self._db.run(
            "UPDATE pairs SET excluded_at = ?, excluded_by = ?, excluded_why = ? WHERE id = ? AND excluded_at IS NULL",
            now(),
            who,
            None if why is None else clean(why),
            pair_id,
        )
        return self.get(pair_id)

    def restore(self, pair_id: int, who: str) -> Pair:
        """Undo :meth:`exclude`; the pair comes back on the side its question is on now."""
        self.get(pair_id)
        self._db.run(
            "UPDATE pairs SET excluded_at = NULL, excluded_by = ?, excluded_why = NULL "
            "WHERE id = ? AND excluded_at IS NOT NULL",
            who,
            pair_id,
        )
        return self.get(pair_id)

    def pin(self, pair_id: int, pinned: bool = True) -> Pair:
        """Make a pair (and every other with its question) a test. Raises :class:`ValueError` if a run has
        trained on the question, or if it is a correction: those always train."""
        with self._db.atomic():
            pair = self.get(pair_id)
            row = self._db.one("SELECT s.* FROM splits s JOIN pairs p ON p.key = s.key WHERE p.id = ?", pair_id)
            assert row is not None
            if pinned and pair.split == "train":
                if row["used_by_run"] is not None:
                    raise ValueError(
                        f"Pair {pair_id} was trained on by run {row['used_by_run']}: it can't be a test now."
                    )
                if self._db.one(
                    f"SELECT 1 FROM pairs p WHERE key = ? AND source = 'correction' AND {LIVE}", row["key"]
                ):
                    raise ValueError(f"Pair {pair_id} is a correction: those always train.")
                self._set_side(row["key"], "heldout", "pin")
            self._db.run("UPDATE pairs SET pinned = ? WHERE id = ?", int(pinned), pair_id)
        return self.get(pair_id)


def pair_of(row: Row) -> Pair:
    """The record of a row of ``pairs`` joined with its split."""
    history: Sequence[Sequence[str]] = json.loads(row["history"])
    return Pair(
        id=row["id"],
        instruction=row["instruction"],
        history=tuple((customer, bot) for customer, bot in history),
        output=row["output"],
        lang=row["lang"],
        category=row["category"],
        source=row["source"],
        source_ref=row["source_ref"],
        reply_id=row["reply_id"],
        split=row["split"],
        pinned=bool(row["pinned"]),
        excluded_at=row["excluded_at"],
        superseded_by=row["superseded_by"],
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
