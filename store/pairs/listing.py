"""The list of pairs: narrowed by a filter and by words, read in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from store.database import Database
from store.pairs import FLAGGED, LIVE, pair_of
from store.pairs.conflicts import Conflicts
from store.personal import KINDS, Kind
from store.records import Pair
from store.search import hits
from store.words import Source, Split

PairState = Literal["live", "excluded", "superseded", "in conflict", "personal data", "all"]
PAIR_STATES: tuple[PairState, ...] = get_args(PairState)

_STATES: dict[PairState, str] = {
    "live": LIVE,
    "excluded": "p.excluded_at IS NOT NULL AND p.superseded_by IS NULL",
    "superseded": "p.superseded_by IS NOT NULL",
    "in conflict": LIVE,
    "personal data": f"{LIVE} AND {FLAGGED}",
    "all": "1",
}


@dataclass(frozen=True, slots=True)
class PairFilter:
    """What is looked for; None is no matter. ``run``: trained on in this run."""

    state: PairState = "live"
    source: Source | None = None
    split: Split | None = None
    tag: str | None = None
    lang: str | None = None
    run: int | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class ListedPair:
    """A pair as a row of the list. ``personal``: the kinds of personal data in it; ``cleared``: they may train."""

    pair: Pair
    tags: tuple[str, ...]
    why: str | None
    personal: tuple[Kind, ...]
    cleared: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to filter by on this desk; runs the latest first."""

    tags: tuple[str, ...]
    langs: tuple[str, ...]
    runs: tuple[int, ...]


class PairListing:
    """The repository of ``desk.pair_listing``: first the ids of everything that fits, then the rows looked at."""

    def __init__(self, db: Database, conflicts: Conflicts) -> None:
        self._db, self._conflicts = db, conflicts

    def ids(self, wanted: PairFilter) -> list[int]:
        """The pairs that fit, the latest first."""
        where, values = [_STATES[wanted.state]], list[object]()
        for column, value in (("s.split", wanted.split), ("p.source", wanted.source), ("p.lang", wanted.lang)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if wanted.tag is not None:
            where.append("p.id IN (SELECT pair_id FROM tags WHERE tag = ?)")
            values.append(wanted.tag)
        if wanted.run is not None:
            where.append("p.id IN (SELECT pair_id FROM run_pairs WHERE run_id = ? AND split = 'train')")
            values.append(wanted.run)
        if wanted.query.strip():
            found, words = hits("pairs_text", wanted.query)
            where.append(f"p.id IN ({found})")
            values += words
        rows = self._db.all(
            f"SELECT p.id FROM pairs p JOIN splits s ON s.key = p.key WHERE {' AND '.join(where)} ORDER BY p.id DESC",
            *values,
        )
        found_ids = [row[0] for row in rows]
        if wanted.state == "in conflict":
            disputed = {pair for conflict in self._conflicts.open() for pair in conflict.ids}
            return [number for number in found_ids if number in disputed]
        return found_ids

    def rows(self, ids: Sequence[int]) -> list[ListedPair]:
        """The rows of some pairs, in the order of *ids*."""
        marks = ",".join("?" * len(ids))
        tags: dict[int, list[str]] = {}
        for row in self._db.all(f"SELECT pair_id, tag FROM tags WHERE pair_id IN ({marks}) ORDER BY tag", *ids):
            tags.setdefault(row["pair_id"], []).append(row["tag"])
        found = {
            row["id"]: ListedPair(
                pair_of(row),
                tuple(tags.get(row["id"], ())),
                row["excluded_why"],
                tuple(kind for kind in KINDS if kind in (row["kinds"] or "").split(",")),
                bool(row["is_cleared"]),
            )
            for row in self._db.all(
                f"""
SELECT p.*, s.split, d.kinds, EXISTS (SELECT 1 FROM cleared c WHERE c.pair_id = p.id) AS is_cleared
FROM pairs p JOIN splits s ON s.key = p.key LEFT JOIN personal_data d ON d.pair_id = p.id WHERE p.id IN ({marks})
""",
                *ids,
            )
        }
        return [found[number] for number in ids if number in found]

    def choices(self) -> Choices:
        """What there is to filter by."""
        return Choices(
            tuple(row[0] for row in self._db.all("SELECT DISTINCT tag FROM tags ORDER BY tag")),
            tuple(row[0] for row in self._db.all("SELECT DISTINCT lang FROM pairs ORDER BY lang")),
            tuple(row[0] for row in self._db.all("SELECT DISTINCT run_id FROM run_pairs ORDER BY run_id DESC")),
        )

    def flagged(self) -> dict[Kind, int]:
        """How many pairs that would train hold which kind of personal data that nobody cleared."""
        rows = self._db.all(
            f"SELECT d.kinds FROM personal_data d JOIN pairs p ON p.id = d.pair_id JOIN splits s ON s.key = p.key "
            f"WHERE {LIVE} AND s.split = 'train' AND {FLAGGED}"
        )
        return {kind: count for kind in KINDS if (count := sum(kind in row[0].split(",") for row in rows))}

    def flagged_count(self) -> int:
        """How many pairs that would train hold personal data that nobody cleared."""
        return int(
            self._db.value(
                f"SELECT count(*) FROM personal_data d JOIN pairs p ON p.id = d.pair_id JOIN splits s ON s.key = p.key "
                f"WHERE {LIVE} AND s.split = 'train' AND {FLAGGED}"
            )
        )
