"""The pairs of a file without a desk: for questions that are only asked, never kept."""

from __future__ import annotations

from pathlib import Path

from store.importing.parsing import RowParser, rows_of
from store.importing.reading import Source
from store.importing.rows import ImportRefused, RowRejected
from store.pairs import NewPair


def pairs_in(path: Path, file_format: str | None = None) -> list[NewPair]:
    """Every pair of *path*, in its order, duplicates included; formats as for an import.

    Raises :class:`ImportRefused` with a sentence for a file that can't be read, and for the first bad row with its
    line: a measurement on a part of a file would pass for one on all of it."""
    parser = RowParser(file_format)
    try:
        source = Source(path)
    except OSError as error:
        raise ImportRefused(f"{path} can't be read: {error.strerror or error}.") from error
    found: list[NewPair] = []
    try:
        for line, row in rows_of(source, path, file_format):
            try:
                found += parser.parse(row).pairs
            except RowRejected as error:
                raise ImportRefused(f"Line {line} of {path.name} can't be used: {error}.") from error
    finally:
        source.close()
    return found
