"""How good the versions are in the operators' eyes: judged replies, and how many of them were wrong."""

from __future__ import annotations

from dataclasses import dataclass

from store.database import Database
from store.words import Version

_RATES = """
SELECT r.version, count(*) AS judged, sum(r.judgement IN ('corrected', 'rejected')) AS wrong
FROM replies r JOIN turns t ON t.id = r.turn_id
WHERE r.judgement IN ('corrected', 'rejected', 'approved') AND r.from_correction IS NULL
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many replies were judged, and so many of those were wrong: corrected, or marked as wrong. A reply counts once,
    as it stands. What the desk answered from a correction is no version's own, and does not count."""

    judged: int = 0
    wrong: int = 0

    @property
    def share(self) -> float | None:
        """The share of wrong ones, 0 to 1; None before anything was judged."""
        return self.wrong / self.judged if self.judged else None


class Quality:
    """The repository of ``desk.quality``. It only reads."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def rates(self) -> dict[Version, Rate]:
        """The rate of every version with a judged reply, over all of its replies."""
        rows = self._db.all(f"{_RATES} GROUP BY r.version")
        return {row["version"]: Rate(row["judged"], row["wrong"]) for row in rows}

    def since_promotion(self, version: Version) -> Rate:
        """The rate of *version* over its replies since the last promotion."""
        at = self._db.value("SELECT at FROM promotions ORDER BY id DESC LIMIT 1") or ""
        row = self._db.one(f"{_RATES} AND r.version = ? AND t.created_at >= ?", version, at)
        return Rate(row["judged"], row["wrong"] or 0) if row is not None else Rate()

    def stamp(self) -> tuple[int, ...]:
        """Numbers that change whenever a rate may have changed; cheap to ask for."""
        tables = ("corrections", "approvals", "rejections", "withdrawals", "promotions")
        return tuple(int(self._db.value(f"SELECT coalesce(max(id), 0) FROM {table}")) for table in tables)
