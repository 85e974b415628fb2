"""The pairs of a file without a desk: for questions that are only asked, never kept."""

from __future__ import annotations

from pathlib import Path

from store.importing.intake import Intake, Options
from store.importing.rows import ImportRefused, RowRejected
from store.pairs import NewPair


def pairs_in(path: Path, file_format: str | None = None) -> list[NewPair]:
    """Every pair of *path*, in its order, duplicates included; formats as for an import.

    Raises :class:`ImportRefused` with a sentence for a file that can't be read, and for the first bad row with its
    line: a measurement on a part of a file would pass for one on all of it."""
    found: list[NewPair] = []
    with Intake(path, Options(file_format)) as intake:
        for line, _, item in intake.rows():
            if isinstance(item, RowRejected):
                raise ImportRefused(f"Line {line} of {path.name} can't be used: {item}.") from item
            found += item.pairs
    return found
