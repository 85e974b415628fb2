"""Files as numbered rows, without ever holding a whole file in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.importing.encodings import encoding_of, refuse_what_is_no_text, wrong_encoding
from store.importing.rows import ImportRefused

CHUNK = 2**16  # characters read at a time
LONGEST_ROW = 2**24  # characters of one row: a file whose rows do not end is not what it says it is


class Unreadable(ValueError):
    """Why there is no value in a row; ``raw`` is what stands there."""

    def __init__(self, reason: str, raw: Any) -> None:
        super().__init__(reason)
        self.raw = raw


Row = tuple[int, Any]  # the line it begins on, and the value, or the Unreadable that says why there is none


class Source:
    """A file to import: opened once, read to its end, and asked how far it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
        self._encoding = encoding_of(head)
        refuse_what_is_no_text(path, head, self._encoding)
        self._raw = path.open("rb")
        self._text = io.TextIOWrapper(self._raw, encoding=self._encoding, newline="")

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def rows(self, table: bool) -> Iterator[Row]:
        """The rows of a CSV table, else of a JSON array, of JSON values one after the other (a ``.json`` file whose
        first line is not a whole value), or of JSON lines."""
        if table:
            return self._table()
        head = self._read(CHUNK)
        self._text.seek(0)
        if head.lstrip().startswith("["):
            return self._values(array=True)
        if self._path.suffix.lower() == ".json" and isinstance(_loads(head.partition("\n")[0]), Unreadable):
            return self._values(array=False)
        return self._lines()

    def _lines(self) -> Iterator[Row]:
        number = 0
        while line := self._readline():
            number += 1
            if len(line) >= LONGEST_ROW:
                raw = line[:1000]
                while line and not line.endswith("\n"):
                    line = self._readline()
                yield number, Unreadable(f"it is longer than {LONGEST_ROW} characters", raw)
            elif line.strip():
                yield number, _loads(line)

    def _values(self, array: bool) -> Iterator[Row]:
        """JSON values, decoded one by one as they come in."""
        decoder = json.JSONDecoder()
        buffer, at, line, ended = self._read(CHUNK), 0, 1, False
        if array:
            at = buffer.index("[") + 1
            line += buffer.count("\n", 0, at)
        while True:
            start = at
            while at < len(buffer) and buffer[at] in " \t\r\n,":
                at += 1
            line += buffer.count("\n", start, at)
            if array and buffer.startswith("]", at):
                return
            if at == len(buffer) and ended:
                if not array:
                    return
                raise ImportRefused(
                    f"The JSON array ends without ']' at line {line}; the file is cut short. {_NOTHING}"
                )
            problem = "it is nested too deeply"
            try:
                value, end = decoder.raw_decode(buffer, at)
                # A number or a word at the very end of what was read may go on in the next chunk.
                if end < len(buffer) or ended:
                    yield line, value
                    line += buffer.count("\n", at, end)
                    at = end
                    continue
            except RecursionError:
                ended = True  # more of it will not help
            except json.JSONDecodeError as error:
                problem = f"{error.msg} on line {line + buffer.count(chr(10), at, error.pos)}"
            if ended or len(buffer) - at > LONGEST_ROW:
                raise ImportRefused(f"The JSON of the row that begins on line {line} is broken ({problem}). {_NOTHING}")
            more = self._read(max(CHUNK, len(buffer) - at))
            ended = not more
            buffer, at = buffer[at:] + more, 0

    def _table(self) -> Iterator[Row]:
        """Dictionaries under the names in the header. Separated by comma, semicolon or tab."""
        csv.field_size_limit(LONGEST_ROW)
        head = self._read(CHUNK)
        self._text.seek(0)
        first = head.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(self._without_nul(), delimiter=delimiter)
        header: list[str] | None = None
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise ImportRefused(f"The CSV can't be read at line {line}: {error}. {_NOTHING}") from error
            if header is None:
                header = [cell.strip() for cell in cells]
            elif any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    yield line, Unreadable(f"it has {len(cells)} cells and the header has {len(header)}", cells)
                else:
                    yield line, dict(zip(header, cells, strict=True))

    def _without_nul(self) -> Iterator[str]:
        while line := self._readline():
            yield line.replace("\0", "")

    def _read(self, count: int) -> str:
        try:
            return self._text.read(count)
        except UnicodeError:
            raise wrong_encoding(self._path, self._encoding) from None

    def _readline(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW)
        except UnicodeError:
            raise wrong_encoding(self._path, self._encoding) from None


_NOTHING = "Nothing was imported; mend the file and import it again."


def _loads(line: str) -> Any:
    try:
        return json.loads(line)
    except RecursionError:
        return Unreadable("it is nested too deeply", line)
    except ValueError as error:
        return Unreadable(f"not JSON ({error})", line)
