"""Rows into pairs: the form of a file is told by its first good row, and every row is checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from store.importing import alpaca, messages, sharegpt, turns
from store.importing.reading import Row, Source, Unreadable
from store.importing.rows import ImportRefused, Item, RowRejected, refuse_other_data

FORMATS: dict[str, Any] = {
    "turns": turns,
    "messages": messages,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "csv": alpaca,  # the same rows, read from a table
}
ROLES = ("instruction", "input", "output", "history", "category", "lang", "split")  # what a column can be named for
PATIENCE = 100  # rows of no known form at the beginning of a file before it is refused


def rows_of(source: Source, path: Path, form: str | None) -> Iterator[Row]:
    """The rows of a file: a table if its form or its ending says so."""
    return source.rows(form == "csv" or (form is None and path.suffix.lower() in (".csv", ".tsv")))


class RowParser:
    """Makes the rows of one file into :class:`Item`; knows what the rows before were."""

    def __init__(self, form: str | None, columns: Mapping[str, str] | None = None) -> None:
        if form is not None and form not in FORMATS:
            raise ImportRefused(f"There is no format {form!r}. There are: {', '.join(FORMATS)}.")
        for role in columns or ():
            if role not in ROLES:
                raise ImportRefused(f"A column can't be named for {role!r}, only for {', '.join(ROLES)}.")
        self._name, self._form, self._columns = form, FORMATS.get(form or ""), dict(columns or {})
        self._accepted = 0
        self._strange: list[str] = []  # why the rows before the first good one are none

    @property
    def form(self) -> str | None:
        """The form that the rows turned out to be of; None before the first good one."""
        return self._name or next((name for name, module in FORMATS.items() if module is self._form), None)

    def parse(self, row: Any) -> Item:
        """The pairs of *row*. Raises :class:`RowRejected`, and :class:`ImportRefused` where the row shows that the
        whole file is of another kind."""
        try:
            item = self._parse(row)
        except RowRejected as error:
            if self._form is None:
                self._strange.append(str(error))
                if len(self._strange) >= PATIENCE:
                    self.finish()
            raise
        except RecursionError:
            raise RowRejected("it is nested too deeply") from None
        self._accepted += 1
        return item

    def finish(self) -> None:
        """To be called after the last row. Raises :class:`ImportRefused` if there was none of a known form."""
        if self._form is None and self._strange:
            raise ImportRefused(
                f"No row of the file is of a form of pairs that is known here (instruction and output, messages, "
                f"conversations, turns). The first: {self._strange[0]}. Nothing was imported; name its columns or "
                "convert it."
            )

    def _parse(self, row: Any) -> Item:
        if isinstance(row, Unreadable):
            raise RowRejected(str(row))
        if not isinstance(row, dict):
            raise RowRejected("it is not an object with named values")
        row = self._named(row)
        try:
            refuse_other_data(row)
        except ImportRefused as error:
            if not self._accepted:
                raise
            raise RowRejected(str(error).partition(". ")[0]) from None
        if self._form is None:
            self._form = next((module for module in (turns, messages, sharegpt, alpaca) if module.fits(row)), None)
            if self._form is None:
                names = ", ".join(map(str, list(row)[:8])) or "nothing"
                raise RowRejected(f"it has {names}, which is no known form")
        if not self._form.fits(row):
            form = f"of the form {self._name}" if self._name else "of the form of the rows before it"
            raise RowRejected(f"it is not {form}")
        item: Item = self._form.parse(row)
        return item

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        """*row* with the caller's columns under the names of their roles."""
        if not self._columns:
            return row
        missing = [column for column in self._columns.values() if column not in row]
        if missing and not self._accepted:
            raise ImportRefused(
                f"The file has no column {missing[0]!r}. It has: {', '.join(map(str, row))}. Nothing was imported."
            )
        if missing:
            raise RowRejected(f"it has no {missing[0]!r}")
        return {**row, **{role: row[column] for role, column in self._columns.items()}}
