"""Where a pair comes from, what became of it, and what was learned of it."""

from __future__ import annotations

from dataclasses import dataclass

from store.database import Database
from store.errors import NotThere
from store.pairs.listing import ListedPair, PairListing
from store.words import OutcomeName, RunState, Version


@dataclass(frozen=True, slots=True)
class InRun:
    """A pair in one run. ``used``: "train", "heldout" or "validation"; ``outcome``, ``before`` and ``after`` if the
    gate asked it: learned, not learned or regressed, and the answers of the version that was active then and of the
    candidate."""

    run_id: int
    state: RunState
    at: str
    used: str
    weight: int
    version: Version | None
    outcome: OutcomeName | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """A pair with its past. ``earlier``: what it superseded, the latest first; ``conversation``: (id, title) of
    the reply it came of; ``excluded_by``: who excluded or restored it last; ``judged``: (reply's text, its version)."""

    row: ListedPair
    earlier: tuple[ListedPair, ...]
    conversation: tuple[int, str] | None
    judged: tuple[str, Version] | None
    excluded_by: str | None
    cleared_by: str | None
    runs: tuple[InRun, ...]


class PairStories:
    """The repository of ``desk.pair_stories``."""

    def __init__(self, db: Database, listing: PairListing) -> None:
        self._db, self._listing = db, listing

    def story(self, pair_id: int) -> Story:
        """Everything about one pair. Raises :class:`NotThere` for an unknown one."""
        rows = self._listing.rows([pair_id])
        if not rows:
            raise NotThere(f"There is no pair {pair_id}.")
        pair = rows[0].pair
        origin = self._db.one(
            "SELECT c.id, c.title, t.text, r.version FROM replies r JOIN turns t ON t.id = r.turn_id "
            "JOIN conversations c ON c.id = t.conversation_id WHERE r.turn_id = ?",
            pair.reply_id,
        )
        runs = self._db.all(
            """
SELECT r.id AS run_id, r.state, r.created_at AS at, p.split AS used, p.weight, v.name AS version,
    j.outcome, j.before, j.after
FROM run_pairs p JOIN runs r ON r.id = p.run_id LEFT JOIN adapter_versions v ON v.run_id = r.id
LEFT JOIN judged_answers j ON j.run_id = r.id AND j.pair_id = p.pair_id
    AND j.kind = CASE p.split WHEN 'train' THEN 'correction' ELSE 'heldout' END
WHERE p.pair_id = ? ORDER BY r.id DESC
""",
            pair_id,
        )
        return Story(
            rows[0],
            tuple(self._earlier(pair_id)),
            None if origin is None else (origin["id"], origin["title"]),
            None if origin is None else (origin["text"], origin["version"]),
            self._db.value("SELECT excluded_by FROM pairs WHERE id = ?", pair_id),
            self._db.value("SELECT created_by FROM cleared WHERE pair_id = ?", pair_id),
            tuple(InRun(**dict(row)) for row in runs),
        )

    def _earlier(self, pair_id: int) -> list[ListedPair]:
        numbers = self._db.all(
            """
WITH RECURSIVE past(id) AS (
    SELECT id FROM pairs WHERE superseded_by = :id
    UNION SELECT p.id FROM pairs p JOIN past ON p.superseded_by = past.id
) SELECT id FROM past ORDER BY id DESC LIMIT 100
""".replace(":id", "?"),
            pair_id,
        )
        return self._listing.rows([row[0] for row in numbers])
