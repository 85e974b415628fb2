"""SQLite underneath a desk.

``database`` asks and writes, over a ``connection``, which opens the file and brings it up to date; ``opening`` is what
comes before that where it is not a matter of course; ``explaining`` says SQLite's errors in sentences. ``migrations``
are the steps of the schema and ``schema`` what they must come to; ``cells`` reads JSON in cells, and ``soundness``
looks for damage.
"""

from store.database.connection import BUSY_SECONDS, SCHEMA
from store.database.database import Database, Row, readable
from store.errors import BROKEN, SALVAGE, DeskBusy, DeskFull, DeskReadOnly, DeskUnreadable, damaged

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
