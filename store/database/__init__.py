"""SQLite underneath a desk.

``database`` is the connection, ``opening`` what comes before it, ``migrations`` the steps of the schema and ``schema``
what they must come to, ``cells`` reads JSON in cells, ``soundness`` looks for damage.
"""

from store.database.database import (
    BROKEN,
    BUSY_SECONDS,
    SALVAGE,
    SCHEMA,
    Database,
    DeskBusy,
    DeskFull,
    DeskReadOnly,
    DeskUnreadable,
    Row,
    damaged,
    readable,
)

__all__ = [
    "BROKEN",
    "BUSY_SECONDS",
    "SALVAGE",
    "SCHEMA",
    "Database",
    "DeskBusy",
    "DeskFull",
    "DeskReadOnly",
    "DeskUnreadable",
    "Row",
    "damaged",
    "readable",
]
