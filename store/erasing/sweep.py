"""After the rows: nothing of what stood in them is left in the database's files."""

from __future__ import annotations

import time

from store.database import BUSY_SECONDS, Database, DeskBusy

LOOK_EVERY = 0.1  # seconds between two tries to empty the log of writes while another app reads


def sweep(db: Database) -> None:
    """Build the indexes again, write the database anew without its free pages, and empty its log of writes.

    Raises :class:`store.database.DeskBusy` if other apps read or write all the while; it can be done again then."""
    with db.atomic():
        # Searching through deleted words is put off by FTS5: their entries stay in its segments until these are merged.
        for (table,) in db.all("SELECT name FROM pragma_table_list WHERE type = 'virtual' AND schema = 'main'"):
            db.run(f'INSERT INTO "{table}" ("{table}") VALUES (\'rebuild\')')
    db.run("VACUUM")
    deadline = time.monotonic() + BUSY_SECONDS
    while db.value("PRAGMA wal_checkpoint(TRUNCATE)") != 0:
        if time.monotonic() > deadline:
            raise DeskBusy
        time.sleep(LOOK_EVERY)
