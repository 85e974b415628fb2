"""JSON as rows: lines of values, arrays, and values that go over several lines, one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

from store.importing.rows import FileRow, ImportRefused, Unreadable

MOST = 10_000  # elements of an array that become one row
_SPACE = " \t\r\n,\ufeff\x1e"
_NOTHING = "Nothing was imported; fix the file and import it again."


class Characters(Protocol):
    """Where the text comes from."""

    @property
    def longest_row(self) -> int:
        """Characters that a row may have."""
        ...

    def read(self, count: int) -> str:
        """The next characters."""
        ...

    def readline(self) -> str:
        """The next line."""
        ...


class JsonRows:
    """The rows of JSON from a source that is at its beginning; *head*: how it begins. *together*: whether an element
    of an array is no row of its own, so that those beside each other become one as a list."""

    def __init__(self, source: Characters, head: str, together: Callable[[Any], bool]) -> None:
        self._source, self._head, self._together = source, head, together
        self._chunk = max(len(head), 2**16)
        self._values = Decoder()

    def rows(self) -> Iterator[FileRow]:
        """By values if an array begins or a value goes on after its line; by lines if each is a value of its own."""
        body = self._head.lstrip(_SPACE)
        line, _, more = body.partition("\n")
        by_values = body[:1] == "[" and not more.strip()
        if body[:1] in ("[", "{") and more.strip():
            by_values = self._goes_on(body, len(line))
        return self._by_values() if by_values else self._by_lines()

    def _goes_on(self, body: str, end_of_line: int) -> bool:
        """Whether the first value of *body* goes on after its first line."""
        try:
            return self._values.value(body, 0)[1] > end_of_line
        except RecursionError:
            return False
        except json.JSONDecodeError as error:
            return error.pos >= end_of_line

    def _by_lines(self) -> Iterator[FileRow]:
        number = 0
        while line := self._source.readline():
            number += 1
            if len(line) >= self._source.longest_row:
                raw = line[:1000]
                while line and not line.endswith("\n"):
                    line = self._source.readline()
                yield number, Unreadable(f"it is longer than {self._source.longest_row} characters", raw)
            elif line.strip(_SPACE):
                yield number, self._values.line(line)

    def _by_values(self) -> Iterator[FileRow]:
        """Decoded one by one as they come in; the elements of an array are rows of their own."""
        buffer, at, line, ended = self._source.read(self._chunk), 0, 1, False
        inside = False  # of an array
        pieces = _Pieces()
        while True:
            start = at
            while at < len(buffer) and buffer[at] in _SPACE:
                at += 1
            line += buffer.count("\n", start, at)
            if at == len(buffer):
                if ended and not inside:
                    return
                if ended:
                    raise ImportRefused(
                        f"The JSON array ends without ']' at line {line}; the file is cut short. {_NOTHING}"
                    )
            elif buffer[at] == ("]" if inside else "["):
                yield from pieces.all()
                inside, at = not inside, at + 1
                continue
            elif not inside and buffer[at] != "{":
                # After an array: whatever stands there is counted, line by line.
                buffer = yield from self._rubbish(buffer, at, line)
                line += 1
                at, ended = 0, False
                continue
            else:
                problem = None
                try:
                    value, end = self._values.value(buffer, at)
                    # A number or a word at the very end of what was read may go on in the next chunk.
                    if end < len(buffer) or ended:
                        if inside and len(pieces) < MOST and self._together(value):
                            pieces.add(line, value)
                        else:
                            yield from pieces.all()
                            yield line, value
                        line += buffer.count("\n", at, end)
                        at = end
                        continue
                except RecursionError:
                    ended, problem = True, "it is nested too deeply"  # more of it will not help
                except json.JSONDecodeError as error:
                    broken = line + buffer.count("\n", at, error.pos)
                    problem = f"{error.msg} on line {broken}"
                if problem and (ended or len(buffer) - at > self._source.longest_row):
                    raise ImportRefused(
                        f"The JSON of the row that begins on line {line} is broken ({problem}). {_NOTHING}"
                    )
            more = self._source.read(max(self._chunk, len(buffer) - at))
            ended = not more
            buffer, at = buffer[at:] + more, 0

    def _rubbish(self, buffer: str, at: int, line: int) -> Generator[FileRow, None, str]:
        """The rest of a line as a row that can't be read; returns what was read after it."""
        rest = buffer[at:]
        while "\n" not in rest and len(rest) < self._source.longest_row and (more := self._source.read(self._chunk)):
            rest += more
        text, _, after = rest.partition("\n")
        yield line, Unreadable("not JSON: text after the end of an array", text[:1000])
        return after


class _Pieces:
    """Elements of an array that wait to become one row."""

    def __init__(self) -> None:
        self._line, self._values = 0, list[Any]()

    def __len__(self) -> int:
        return len(self._values)

    def add(self, line: int, value: Any) -> None:
        """Keep one, which begins on *line*."""
        self._line = self._line if self._values else line
        self._values.append(value)

    def all(self) -> Iterator[FileRow]:
        """The row, if any waits."""
        values, self._values = self._values, []
        if values:
            yield self._line, values


class Decoder:
    """JSON values; an object that names a value twice is none."""

    def __init__(self) -> None:
        # Line ends and tabs in strings are no JSON, and leave no doubt what was meant.
        self._decoder = json.JSONDecoder(strict=False, object_pairs_hook=self._object)
        self._twice: str | None = None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self._twice = max((name for name, _ in pairs), key=[name for name, _ in pairs].count)
        return found

    def value(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at *at* and where it ends; what :meth:`json.JSONDecoder.raw_decode` raises."""
        self._twice = None
        value, end = self._decoder.raw_decode(text, at)
        return self._once(value), end

    def line(self, text: str) -> Any:
        """The value that is all of *text*."""
        self._twice = None
        try:
            return self._once(self._decoder.decode(text.strip(_SPACE)))
        except RecursionError:
            return Unreadable("it is nested too deeply", text)
        except ValueError as error:
            return self._several(text.strip(_SPACE)) or Unreadable(f"not JSON ({error})", text)

    def _several(self, text: str) -> list[Any] | None:
        """The values that stand one after the other on a line, None if that is not what it is."""
        found, at = [], 0
        try:
            while at < len(text):
                value, at = self.value(text, at)
                found.append(value)
                while at < len(text) and text[at] in _SPACE:
                    at += 1
        except (RecursionError, ValueError):
            return None
        return found

    def _once(self, value: Any) -> Any:
        return value if self._twice is None else Unreadable(f"it has {self._twice!r} twice", value)
