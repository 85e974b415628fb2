"""Which pairs are meant, as SQL on a row ``p`` of the table; and the record of such a row."""

from __future__ import annotations

from collections.abc import Sequence

from store.database import Row
from store.database.cells import EXCHANGES, cell
from store.records import Pair

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
WITH_SPLIT = "SELECT p.*, s.split FROM pairs p JOIN splits s ON s.key = p.key"


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
