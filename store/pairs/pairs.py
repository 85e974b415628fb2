"""Pairs and the side they are on. The side belongs to the question, so one question can't be on both."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from store.database import Database, DeskUnreadable, Row
from store.database.cells import EXCHANGES, cell
from store.errors import NotThere, Refused
from store.pairs.new import CORRECTED, WITHDRAWN, NewPair, PairWriter
from store.records import Pair
from store.search import hits
from store.settings import SettingsTable
from store.text import clean
from store.times import now
from store.words import Source, Split

__all__ = ["COUNTS", "FLAGGED", "LIVE", "SEEN_BY_ACTIVE", "NewPair", "Pairs", "State", "pair_of"]

LIVE = "p.excluded_at IS NULL AND p.superseded_by IS NULL"
# The version that answers now was trained on the pair. After a rollback what it had not seen waits again.
SEEN_BY_ACTIVE = """EXISTS (SELECT 1 FROM run_pairs rp JOIN adapter_versions v ON v.run_id = rp.run_id
    WHERE rp.pair_id = p.id AND rp.split = 'train'
    AND v.name = (SELECT version FROM promotions ORDER BY id DESC LIMIT 1))"""
# Where a question has corrections, only the newest of them counts: the operator's last word.
COUNTS = """p.id = coalesce((SELECT max(c.id) FROM pairs c WHERE c.key = p.key AND c.source = 'correction'
    AND c.excluded_at IS NULL AND c.superseded_by IS NULL), p.id)"""
# A pair with personal data that nobody cleared. With the policy "block" such a pair does not train.
FLAGGED = """EXISTS (SELECT 1 FROM personal_data d WHERE d.pair_id = p.id
    AND NOT EXISTS (SELECT 1 FROM cleared c WHERE c.pair_id = p.id))"""
_PAIR = "SELECT p.*, s.split FROM pairs p JOIN splits s ON s.key = p.key"

State = Literal["live", "excluded", "superseded", "all"]
_STATES: dict[State, str] = {
    "live": LIVE,
    "excluded": "p.excluded_at IS NOT NULL",
    "superseded": "p.superseded_by IS NOT NULL",
    "all": "1",
}


class Pairs:
    """The repository of ``desk.pairs``. Unknown ids raise :class:`NotThere`."""

    def __init__(self, db: Database, settings: SettingsTable) -> None:
        self._db, self._settings = db, settings
        self.writer = PairWriter(db, settings)

    # -- adding ------------------------------------------------------------------------------------
    def add(
        self,
        new: NewPair,
        source: Source,
        who: str,
        source_ref: str | None = None,
        reply_id: int | None = None,
    ) -> Pair | None:
        """Add one pair; None if exactly this pair is there already.

        A correction always trains: where its question was a test, the old test pairs are excluded first.
        Raises :class:`Refused` if a side is empty or far too long."""
        ready = self.writer.ready(new)
        with self._db.atomic():
            number = self.writer.write(ready, source, who, source_ref, reply_id, self.writer.heldout_share())
            return None if number is None else self.get(number)

    def add_many(
        self, news: Iterable[NewPair], source: Source, who: str, source_ref: str | None = None
    ) -> tuple[int, int]:
        """Add all of them or, if the iterable raises, none; returns (added, exact duplicates)."""
        added = duplicates = 0
        with self._db.atomic():
            share = self.writer.heldout_share()
            for new in news:
                if self.writer.write(self.writer.ready(new), source, who, source_ref, None, share) is None:
                    duplicates += 1
                else:
                    added += 1
        return added, duplicates

    def supersede_of_reply(self, reply_id: int, pair_id: int) -> None:
        """Let the newest judgement of a reply be the only one that counts."""
        self._db.run(
            "UPDATE pairs SET superseded_by = ? WHERE reply_id = ? AND id != ? AND superseded_by IS NULL",
            pair_id,
            reply_id,
            pair_id,
        )

    def withdraw(self, ref: str, reply_id: int, who: str) -> None:
        """Take the pair that came of the judgement *ref* out: what it superseded stands again, and the tests that it
        put out come back, unless another correction of their question stands or a run trained on it. To be called
        inside a transaction. Raises :class:`Refused` if a run has used the pair."""
        rows = self._db.all("SELECT id, key, source FROM pairs WHERE reply_id = ? AND source_ref = ?", reply_id, ref)
        for row in rows:
            run = self._db.value("SELECT min(run_id) FROM run_pairs WHERE pair_id = ?", row["id"])
            if run is not None:
                raise Refused(
                    f"Run {run} has used this judgement, so it can't be taken back. Nothing was changed; correct the "
                    "reply again, or exclude its pair."
                )
        for row in rows:
            self._db.run(
                "UPDATE pairs SET excluded_at = ?, excluded_by = ?, excluded_why = ? WHERE id = ?",
                now(),
                who,
                WITHDRAWN,
                row["id"],
            )
            self._db.run("UPDATE pairs SET superseded_by = NULL WHERE superseded_by = ?", row["id"])
            if row["source"] == "correction":
                self._bring_back(row["key"], who)

    def _bring_back(self, key: str, who: str) -> None:
        """The tests that withdrawn corrections of a question had put out."""
        if self._db.one(f"SELECT 1 FROM pairs p WHERE p.key = ? AND p.source = 'correction' AND {LIVE}", key):
            return
        trained = "SELECT 1 FROM run_pairs r JOIN pairs p ON p.id = r.pair_id WHERE p.key = ? AND r.split = 'train'"
        displaced = (
            "p.key = ? AND p.excluded_why = ? AND EXISTS "
            "(SELECT 1 FROM pairs d WHERE d.id = p.displaced_by AND d.excluded_why = ?)"
        )
        values = (key, CORRECTED, WITHDRAWN)
        if self._db.one(trained, key) or not self._db.one(f"SELECT 1 FROM pairs p WHERE {displaced}", *values):
            return
        self.writer.set_side(key, "heldout", "withdrawal")
        self._db.run(
            f"UPDATE pairs AS p SET excluded_at = NULL, excluded_by = ?, excluded_why = NULL WHERE {displaced}",
            who,
            *values,
        )

    # -- looking -----------------------------------------------------------------------------------
    def get(self, pair_id: int) -> Pair:
        """One pair, live or not."""
        row = self._db.one(f"{_PAIR} WHERE p.id = ?", pair_id)
        if row is None:
            raise NotThere(f"There is no pair {pair_id}.")
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

    def live(self, lost: builtins.list[int] | None = None) -> Iterator[Pair]:
        """Every live pair in the order they came in, one at a time: a desk may hold more than memory does.

        *lost*: go on past damage in the file, and list there the ids at which nothing could be read."""
        last = 0
        try:
            for row in self._db.each(f"{_PAIR} WHERE {LIVE} ORDER BY p.id"):
                last = row["id"]
                yield pair_of(row)
        except DeskUnreadable:
            if lost is None:
                raise
            yield from self._salvaged(last, lost)

    def _salvaged(self, after: int, lost: builtins.list[int]) -> Iterator[Pair]:
        for number in range(after + 1, int(self._db.value("SELECT max(id) FROM pairs")) + 1):
            try:
                row = self._db.one(f"{_PAIR} WHERE p.id = ? AND {LIVE}", number)
            except DeskUnreadable:
                lost.append(number)
            else:
                if row is not None:
                    yield pair_of(row)

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

    def training_set(self) -> builtins.list[tuple[Pair, bool]]:
        """Every pair a run would train on, each with whether it is new: a correction the
        active version has not seen. Of several corrections of one question the newest counts."""
        rows = self._db.all(
            f"""
SELECT p.*, s.split, p.source = 'correction' AND NOT {SEEN_BY_ACTIVE} AS is_new
FROM pairs p JOIN splits s ON s.key = p.key
WHERE {LIVE} AND s.split = 'train' AND {COUNTS} AND {self.may_train()} ORDER BY p.id
"""
        )
        unreadable = self._unreadable()
        return [(pair_of(row), bool(row["is_new"])) for row in rows if row["id"] not in unreadable]

    def may_train(self) -> str:
        """The condition under which the desk's policy lets a live pair ``p`` train."""
        return f"NOT {FLAGGED}" if self._settings.load().personal_data == "block" else "1"

    def heldout_set(self) -> builtins.list[Pair]:
        """Every pair a gate would judge by."""
        unreadable = self._unreadable()
        return [pair for pair in self.list(split="heldout") if pair.id not in unreadable]

    def _unreadable(self) -> set[int]:
        """Pairs whose history is damaged: without it their answer may be wrong, so nothing is learned from them."""
        return {row["id"] for row in self._db.all("SELECT id FROM pairs WHERE NOT json_valid(history)")}

    def last_id(self) -> int:
        """The number of the newest pair; 0 if there is none."""
        return int(self._db.value("SELECT coalesce(max(id), 0) FROM pairs"))

    def longest_answers(self, count: int = 8) -> builtins.list[str]:
        """The longest outputs of live pairs, by their bytes."""
        rows = self._db.all(
            "SELECT output FROM pairs WHERE excluded_at IS NULL AND superseded_by IS NULL "
            "ORDER BY length(CAST(output AS BLOB)) DESC LIMIT ?",
            count,
        )
        return [row["output"] for row in rows]

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
        """Undo :meth:`exclude`; the pair comes back on the side its question is on now.

        Raises :class:`Refused` for the pair of a judgement that was taken back, and one that was erased."""
        self.get(pair_id)
        if self.erased(pair_id):
            raise Refused(
                f"Something was erased from pair {pair_id}, and what is left teaches nothing. Edit it to give it a new "
                "text; that one trains."
            )
        if self._db.value("SELECT excluded_why FROM pairs WHERE id = ?", pair_id) == WITHDRAWN:
            raise Refused(
                f"Pair {pair_id} came of a judgement that was taken back. Judge the reply again; that makes a new pair."
            )
        self._db.run(
            "UPDATE pairs SET excluded_at = NULL, excluded_by = ?, excluded_why = NULL "
            "WHERE id = ? AND excluded_at IS NOT NULL",
            who,
            pair_id,
        )
        return self.get(pair_id)

    def erased(self, pair_id: int) -> bool:
        """Whether something was taken out of a pair for good."""
        return self._db.value("SELECT erased_at FROM pairs WHERE id = ?", pair_id) is not None

    def pin(self, pair_id: int, pinned: bool = True) -> Pair:
        """Make a pair (and every other with its question) a test. Raises :class:`Refused` if a run has
        trained on the question, or if it is a correction: those always train. Without its pin a question goes back to
        training, unless another pin holds it or a run has judged by it."""
        with self._db.atomic():
            pair = self.get(pair_id)
            row = self._db.one("SELECT s.* FROM splits s JOIN pairs p ON p.key = s.key WHERE p.id = ?", pair_id)
            assert row is not None
            if pinned and pair.split == "train":
                if row["used_by_run"] is not None:
                    raise Refused(f"Pair {pair_id} was trained on by run {row['used_by_run']}: it can't be a test now.")
                if self._db.one(
                    f"SELECT 1 FROM pairs p WHERE key = ? AND source = 'correction' AND {LIVE}", row["key"]
                ):
                    raise Refused(f"Pair {pair_id} is a correction: those always train.")
                self.writer.set_side(row["key"], "heldout", "pin")
            self._db.run("UPDATE pairs SET pinned = ? WHERE id = ?", int(pinned), pair_id)
            held = row["reason"] != "pin" or row["used_by_run"] is not None
            if not pinned and not held and not self._db.one("SELECT 1 FROM pairs WHERE key = ? AND pinned", row["key"]):
                self.writer.set_side(row["key"], "train", "unpin")
        return self.get(pair_id)


def pair_of(row: Row) -> Pair:
    """The record of a row of ``pairs`` joined with its split."""
    history: Sequence[Sequence[str]] = cell(row["history"], EXCHANGES, [])
    return Pair(
        id=row["id"],
        instruction=row["instruction"],
        history=tuple((side[0], side[1]) for side in history if len(side) == 2),
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
