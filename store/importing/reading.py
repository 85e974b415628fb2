"""Files as numbered rows, without ever holding a whole file in memory."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.importing.rows import ImportRefused

CHUNK = 2**16  # characters read at a time
LONGEST_ROW = 2**24  # characters of one row: a file whose rows do not end is not what it says it is
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = tuple[int, Any]  # the line it begins on, and the value, or the exception that says why there is none


class Source:
    """A file to import: opened once, read to its end, and asked how far it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4)
        self._encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
        self._raw = path.open("rb")
        self._text = io.TextIOWrapper(self._raw, encoding=self._encoding, newline="")

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def is_array(self) -> bool:
        """Whether the file is one JSON array (else it is taken for JSON lines)."""
        head = self._read(CHUNK).lstrip()
        self._text.seek(0)
        return head.startswith("[")

    def lines(self) -> Iterator[Row]:
        """The values of a JSONL file."""
        number = 0
        while line := self._readline():
            number += 1
            if len(line) >= LONGEST_ROW:
                raise ImportRefused(f"Line {number} is longer than {LONGEST_ROW} characters; this is no JSONL file.")
            if line.strip():
                yield number, _loads(line)

    def array(self) -> Iterator[Row]:
        """The values of a JSON array, decoded one by one as they come in."""
        decoder = json.JSONDecoder()
        buffer, line, ended = self._read(CHUNK).lstrip()[1:], 1, False
        while True:
            stripped = buffer.lstrip(" \t\r\n,")
            line += buffer[: len(buffer) - len(stripped)].count("\n")
            buffer = stripped
            if buffer.startswith("]"):
                return
            try:
                value, end = decoder.raw_decode(buffer) if buffer else (None, 0)
                # A number or a word at the very end of what was read may go on in the next chunk.
                whole = end and (end < len(buffer) or ended)
            except (ValueError, RecursionError):
                whole = False
            if whole:
                yield line, value
                line += buffer[:end].count("\n")
                buffer = buffer[end:]
                continue
            more = self._read(max(CHUNK, len(buffer)))
            if not more or len(buffer) > LONGEST_ROW:
                if not more and not buffer and ended:
                    raise ImportRefused(f"The JSON array ends without ']' at line {line}; the file is cut short.")
                if not more and ended:
                    raise ImportRefused(f"The JSON is broken in the row that begins on line {line}.")
                ended = True
                if len(buffer) > LONGEST_ROW:
                    raise ImportRefused(f"The JSON is broken in the row that begins on line {line}.")
            buffer += more

    def table(self) -> Iterator[Row]:
        """The rows of a CSV file as dictionaries under the names in its header. Separated by comma, semicolon or
        tab."""
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
                raise ImportRefused(f"The CSV can't be read at line {line}: {error}.") from error
            if header is None:
                header = [cell.strip() for cell in cells]
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    yield line, ValueError(f"it has {len(cells)} cells and the header has {len(header)}")
                else:
                    yield line, dict(zip(header, cells, strict=False))

    def _without_nul(self) -> Iterator[str]:
        while line := self._readline():
            yield line.replace("\0", "")

    # -- decoding ----------------------------------------------------------------------------------
    def _read(self, count: int) -> str:
        try:
            return self._text.read(count)
        except UnicodeError:
            raise self._wrong_encoding() from None

    def _readline(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW)
        except UnicodeError:
            raise self._wrong_encoding() from None

    def _wrong_encoding(self) -> ImportRefused:
        """Name the line, the byte, and what the file may be written in."""
        name = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8"}.get(self._encoding, self._encoding.upper())
        if name != "UTF-8":
            return ImportRefused(f"The file begins as {name} but is not. Nothing was imported; save it as UTF-8.")
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    return ImportRefused(
                        f"Line {number} is not UTF-8 (byte 0x{line[error.start]:02x}); the file may be in "
                        f"{_guess(line)}. Nothing was imported. Save it as UTF-8 and import it again."
                    )
        return ImportRefused("The file ends in the middle of a character. Nothing was imported; it may be cut short.")


def _loads(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return ValueError(f"not JSON ({error})")


def _guess(line: bytes) -> str:
    """The name of an encoding in which *line* makes sense."""
    for encoding, name in (("gb18030", "GB18030"), ("big5", "Big5"), ("shift_jis", "Shift JIS"), ("euc_kr", "EUC-KR")):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        wide = sum(ord(character) > 0x2E80 for character in text)
        if wide >= 2 and wide * 2 >= sum(byte > 0x7F for byte in line) // 2:
            return name
    return "Windows-1252 or Latin-1"
