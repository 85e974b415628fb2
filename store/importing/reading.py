"""Files as numbered rows, without ever holding a whole file in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from store.importing.encodings import codec_of, encoding_of, refuse_what_is_no_text, wrong_encoding
from store.importing.json_rows import JsonRows
from store.importing.rows import FileRow
from store.importing.table import Table
from store.importing.unfolding import is_said

CHUNK = 2**16  # characters read at a time
LONGEST_ROW = 2**24  # characters of one row: a file whose rows do not end is not what it says it is
_TABLES = frozenset({".csv", ".tsv", ".tab", ".psv"})
_MAYBE = frozenset({".txt", ""})  # a table unless it begins as JSON does


class Source:
    """A file to import: opened once, read to its end, and asked how far it is.

    *encoding*: a name that Python knows, None: told by the first bytes. ``table``: the table, once its rows are asked
    for and if the file is one."""

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
        self._encoding = codec_of(encoding) if encoding else encoding_of(head)
        refuse_what_is_no_text(path, head, self._encoding)
        self._raw = path.open("rb")
        self._text = io.TextIOWrapper(self._raw, encoding=self._encoding, newline="")
        self.table: Table | None = None

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def rows(self, table: bool | None = None, wanted: frozenset[str] = frozenset()) -> Iterator[FileRow]:
        """The rows of a table, else of JSON: arrays, values one after the other, or lines. *table* None: by the
        file's ending and its first character. *wanted*: names in the table's header."""
        head = self.read(CHUNK)
        self._text.seek(0)
        if table is None:
            ending = self.path.suffix.lower()
            table = ending in _TABLES or (ending in _MAYBE and head.lstrip("\ufeff \t\r\n")[:1] not in ("[", "{"))
        if table:
            self.table = Table(self, head, wanted)
            return self.table.rows()
        return JsonRows(self, head, is_said).rows()

    def read(self, count: int) -> str:
        """The next characters. Raises :class:`ImportRefused` if they are in another encoding."""
        try:
            return self._text.read(count)
        except UnicodeError:
            raise wrong_encoding(self.path, self._encoding) from None

    def readline(self) -> str:
        """The next line with its end, cut at :data:`LONGEST_ROW` characters. Raises likewise."""
        try:
            return self._text.readline(LONGEST_ROW)
        except UnicodeError:
            raise wrong_encoding(self.path, self._encoding) from None

    @property
    def longest_row(self) -> int:
        """Characters that a row may have."""
        return LONGEST_ROW
