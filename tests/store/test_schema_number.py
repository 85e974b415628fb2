"""The number by which an up-to-date desk opens without importing sqlite_utils."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from store.database import SCHEMA, Database
from store.database.migrations import migrations


def test_the_number_is_that_of_the_migrations(tmp_path: Path) -> None:
    Database(tmp_path / "desk.db").close()
    from sqlite_utils import Database as SqliteUtils

    applied = migrations.applied(SqliteUtils(tmp_path / "desk.db"))
    assert len(applied) == SCHEMA


def test_an_up_to_date_desk_opens_without_sqlite_utils(tmp_path: Path) -> None:
    Database(tmp_path / "desk.db").close()
    code = (
        "import pathlib, sys; from store.database import Database\n"
        "Database(pathlib.Path(sys.argv[1])).close(); print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "desk.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
