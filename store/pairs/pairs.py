"""Pairs and the side they are on. The side belongs to the question, so one question can't be on both."""

from __future__ import annotations

from collections.abc import Iterable

from store.database import Database
from store.errors import NotThere, Refused
from store.pairs.conditions import LIVE, WITH_SPLIT, pair_of
from store.pairs.judged import JudgedPairs
from store.pairs.new import REJECTED, WITHDRAWN, NewPair, Origin, PairWriter
from store.pairs.sets import PairSets
from store.records import Pair
from store.settings import SettingsTable
from store.text import clean
from store.times import now
from store.words import Source


class Pairs(PairSets, JudgedPairs):
    """The repository of ``desk.pairs``, in parts by subject: adding and changing is here. Unknown ids raise
    :class:`NotThere`."""

    def __init__(self, db: Database, settings: SettingsTable) -> None:
        self._db, self._settings = db, settings
        self.writer = PairWriter(db, settings)

    # -- adding ------------------------------------------------------------------------------------
    def add(
        self, new: NewPair, source: Source, who: str, source_ref: str | None = None, reply_id: int | None = None
    ) -> Pair | None:
        """Add one pair; None if exactly this pair is there already.

        A correction always trains: where its question was a test, the old test pairs are excluded first.
        Raises :class:`Refused` if a side is empty or far too long."""
        ready = self.writer.ready(new)
        with self._db.atomic():
            origin = Origin(source, who, source_ref, reply_id)
            number = self.writer.write(ready, origin, self.writer.heldout_share())
            return None if number is None else self.get(number)

    def add_many(
        self, news: Iterable[NewPair], source: Source, who: str, source_ref: str | None = None
    ) -> tuple[int, int]:
        """Add all of them or, if the iterable raises, none; returns (added, exact duplicates)."""
        added = duplicates = 0
        origin = Origin(source, who, source_ref)
        with self._db.atomic():
            share = self.writer.heldout_share()
            for new in news:
                if self.writer.write(self.writer.ready(new), origin, share) is None:
                    duplicates += 1
                else:
                    added += 1
        return added, duplicates

    # -- looking -----------------------------------------------------------------------------------
    def get(self, pair_id: int) -> Pair:
        """One pair, live or not."""
        row = self._db.one(f"{WITH_SPLIT} WHERE p.id = ?", pair_id)
        if row is None:
            raise NotThere(f"There is no pair {pair_id}.")
        return pair_of(row)

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

        Raises :class:`Refused` for the pair of a judgement that was taken back or of a reply that was found wrong, and
        one that was erased."""
        self.get(pair_id)
        if self.erased(pair_id):
            raise Refused(
                f"Part of pair {pair_id} was erased, and the rest teaches nothing. Edit it: the new text trains."
            )
        why = self._db.value("SELECT excluded_why FROM pairs WHERE id = ?", pair_id)
        if why == REJECTED:
            raise Refused(
                f"Pair {pair_id} is a reply that was marked as wrong. Correct the reply, or undo that; "
                "then its pair is back."
            )
        if why == WITHDRAWN:
            raise Refused(
                f"Pair {pair_id} came from a judgement that was undone. Judge the reply again; that makes a new pair."
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
