"""What a backup is: its list of files, and a look into its database that trusts nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from store.database import readable
from store.errors import DeskError

LIST = "deskloop-backup.json"
FORMAT = 1


class BackupRefused(DeskError):
    """A backup that can't be made or taken; ``sentence`` says why, and that nothing was changed."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup: its name in the desk's folder, its bytes and their sha256."""

    name: str
    size: int
    sha256: str


def connected(path: Path) -> sqlite3.Connection:
    """A connection that trusts nothing in the file."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.text_factory = readable
    conn.execute("PRAGMA trusted_schema = OFF")
    conn.execute("PRAGMA cell_size_check = ON")
    return conn
