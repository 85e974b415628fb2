"""The one way in: whatever asks for the rows of a file, gets them from here, read, gathered and made into pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.importing.grouping import grouped
from store.importing.parsing import Columns, RowParser, rows_of
from store.importing.reading import Source
from store.importing.rows import ColumnsUnknown, FileRow, ImportRefused, InnerRow, Item, RowRejected
from store.importing.table import Table
from store.importing.unfolding import unfold

LINES_TOLD = 3  # of those before a table's header
HTML_TOLD = "contain HTML, which the bot would learn to write; import it as plain text (--plain-text) instead"


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be read, where it does not say so itself.

    *form*: a key of :data:`store.importing.FORMATS`. *columns*: ``instruction``, ``output`` and so on to the names
    that the file has for them. *encoding*: a name that Python knows. *plain*: HTML becomes plain text."""

    form: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    plain: bool = False


class Intake:
    """The rows of one file; to be closed. Raises :class:`ImportRefused` with a sentence for what can't be read."""

    def __init__(self, path: Path, options: Options) -> None:
        self._path, self._options = path, options
        self._parser, self._columns = RowParser(options.form, options.plain), Columns(options.columns)
        try:
            self._source = Source(path, options.encoding)
        except OSError as error:
            raise ImportRefused(f"{path} can't be read: {error.strerror or error}.") from error

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *error: object) -> None:
        self._source.close()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self._source.size

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._source.done

    @property
    def form(self) -> str | None:
        """What most rows turned out to be."""
        return self._parser.form

    @property
    def htmls(self) -> int:
        """How many rows come in with HTML."""
        return 0 if self._options.plain else self._parser.htmls

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header, where the file is a table."""
        return self._source.table.columns if self._source.table else ()

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """The first rows, where the file is a table."""
        return tuple(self._source.table.first) if self._source.table else ()

    def rows(self) -> Iterator[tuple[int, Any, Item | RowRejected]]:
        """Every row: its line, what stands there, and what it becomes or why nothing.

        Raises :class:`ImportRefused` at the end of a file without a row of a known form, :class:`ColumnsUnknown` if
        that is for the names in its header."""
        for line, row in grouped(self._unfolded()):
            try:
                yield line, row, self._parser.parse(row, line)
            except RowRejected as error:
                yield line, row, error
        try:
            self._parser.finish()
        except ImportRefused as error:
            table = self._source.table
            if table is None or len(table.columns) < 2 or self._columns or table.is_named:
                raise
            raise ColumnsUnknown(_unknown(table), table.columns, tuple(table.first)) from error

    def _unfolded(self) -> Iterator[FileRow]:
        for line, value in rows_of(
            self._source, self._path, self._options.form, frozenset(self._options.columns.values())
        ):
            rows = list(unfold(value))
            for place, row in enumerate(rows, 1):
                if len(rows) > 1 and type(row) is dict:
                    row = InnerRow(row)
                    row.place = place
                yield line, self._columns.named(row)

    def notes(self) -> list[str]:
        """What else there is to know about the file, in sentences. To be asked for after the last row."""
        told = []
        skipped = self._source.table.skipped if self._source.table else []
        if skipped:
            more = f" and {len(skipped) - LINES_TOLD} more" if len(skipped) > LINES_TOLD else ""
            lines = ", ".join(repr(line[:40]) for line in skipped[:LINES_TOLD])
            told.append(f"Lines before the table's header were left out: {lines}{more}.")
        for word, count in self._parser.unknown_splits.items():
            told.append(f"{count:,} rows are of the split {word!r}, which is unknown here; the desk chose their side.")
        if htmls := self._parser.htmls:
            what = "contained HTML and are imported as plain text" if self._options.plain else HTML_TOLD
            told.append(f"{htmls:,} rows {what}.")
        return told


def _unknown(table: Table) -> str:
    names = ", ".join(repr(name) for name in table.columns[:12])
    return (
        f"The table's columns are called {names}, and none of these names questions or answers. Nothing was "
        "imported. Say which is which: --column instruction=NAME --column output=NAME."
    )
