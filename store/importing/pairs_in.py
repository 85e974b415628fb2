"""The pairs of a file without a desk: for questions that are only asked, never kept."""

from __future__ import annotations

from pathlib import Path

from store.importing.importer import FORMATS, recognise
from store.importing.reading import Source
from store.importing.rows import ImportRefused, RowRejected
from store.pairs import NewPair


def pairs_in(path: Path, file_format: str | None = None) -> list[NewPair]:
    """Every pair of *path*, in its order, duplicates included; formats as for an import.

    Raises :class:`ImportRefused` with a sentence for a file that can't be read, and for the first bad row with its
    line: a measurement on a part of a file would pass for one on all of it."""
    if file_format is not None and file_format not in FORMATS:
        raise ImportRefused(f"There is no format {file_format!r}. There are: {', '.join(FORMATS)}.")
    try:
        source = Source(path)
    except OSError as error:
        raise ImportRefused(f"{path} can't be read: {error.strerror or error}.") from error
    try:
        return _read(path, source, file_format)
    finally:
        source.close()


def _read(path: Path, source: Source, file_format: str | None) -> list[NewPair]:
    if file_format == "csv" or (file_format is None and path.suffix.lower() in (".csv", ".tsv")):
        rows = source.table()
    else:
        rows = source.array() if source.is_array() else source.lines()
    found: list[NewPair] = []
    form = FORMATS.get(file_format or "")
    for line, row in rows:
        try:
            if not isinstance(row, dict):
                raise RowRejected(str(row) if isinstance(row, Exception) else "it is not an object with named values")
            form = form or recognise(row)
            found += form.parse(row).pairs
        except RowRejected as error:
            raise ImportRefused(f"Line {line} of {path.name} can't be used: {error}.") from error
    return found
