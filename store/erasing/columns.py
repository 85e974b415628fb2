"""Where in a desk's database text can stand. Whatever a later migration adds counts as text until it is named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from store.database import Database
from store.settings.file import FILE_NAME

# Columns that say when, who of the operators, of which kind, or which version: by their names, in every table.
KEPT = {
    "created_at", "created_by", "updated_at", "updated_by", "archived_at", "archived_by", "finished_at", "started_at",
    "decided_at", "excluded_at", "excluded_by", "erased_at", "swept_at", "at", "who", "by", "kind", "state", "role",
    "split", "lang", "version", "version_left", "version_right", "vote", "verdict", "judgement", "key",
    "content_sha256", "base_fingerprint", "data_hash", "manifest_sha256", "folder", "method", "candidate", "parent",
    "phase", "wish", "outcome", "set_up_at", "set_up_by", "decoding", "kinds",
}  # fmt: skip
# The same of single tables.
KEPT_HERE = frozenset(
    {
        ("bases", "name"),
        ("bases", "digest"),
        ("bases", "revision"),
        ("pairs", "source"),
        ("splits", "reason"),
        ("adapter_versions", "name"),
        ("calibrations", "body"),  # numbers alone
    }
)
JSON = frozenset(
    {
        ("pairs", "history"),
        ("comparisons", "history"),
        ("run_events", "body"),
        ("runs", "report"),
        ("runs", "failure"),
        ("runs", "recipe"),
        ("recipes", "recipe"),
        ("adapter_versions", "recipe"),
        ("settings", "value"),
    }
)
# In JSON the names are deskloop's own, as are the values under these: without them nothing reads a report or a recipe.
KEPT_INSIDE = frozenset(KEPT) | {
    "decision", "held", "metric", "tokenizer", "target_modules", "ranks", "bias", "adapter_activation", "precision",
    "optimizer", "best_by", "schedule", "objective", "log",
}  # fmt: skip
# Of the settings only what is written in sentences: a key or a colour is no customer's word.
ONLY = {"settings": f"key IN ('system_message', 'hand_over_message', '{FILE_NAME}')"}
OWN = frozenset({"answers", "erasures", "tags"})  # a cache that is emptied; the log; what is deleted by the row
NAMES = {
    "turns": "messages and replies",
    "judged_answers": "judged answers",
    "shadow_answers": "answers of shadow versions",
    "run_events": "events of runs",
    "runs": "reports of runs",
    "promotions": "reasons of promotions",
    "conversations": "titles of conversations",
    "adapter_versions": "recipes of versions",
    "replies": "drafts of replies",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column with text of anybody's. ``name``: what the operator calls its table."""

    table: str
    column: str
    json: bool
    only: str

    @property
    def name(self) -> str:
        """What operators call what stands here."""
        return NAMES.get(self.table, self.table.replace("_", " "))


def columns(db: Database) -> Iterator[Column]:
    """Every column of the desk's own tables that may hold somebody's words."""
    tables = db.all(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' "
        "AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
    )
    for (table,) in tables:
        if table in OWN:
            continue
        for row in db.all("SELECT name FROM pragma_table_info(?) WHERE upper(type) IN ('TEXT', '')", table):
            column = row[0]
            if column not in KEPT and (table, column) not in KEPT_HERE:
                yield Column(table, column, (table, column) in JSON, ONLY.get(table, "1"))
