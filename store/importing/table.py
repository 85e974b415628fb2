"""Tables of cells: where they begin, what separates their cells, and every line of them read or refused.

A record is read strictly first; one that is not well-formed is read as a program with other habits would have written
it (backslashes before quotation marks, marks that only quote), and refused with its line where that fails.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from store.importing.marks import MATTERING
from store.importing.names import fold, sides_of
from store.importing.rows import FileRow, ImportRefused, TableRow, Unreadable
from store.importing.table_start import Start, find_start, names_both, split_plainly, unquoted

FIRST = 5  # rows that are kept for whoever has to name the columns


class Lines(Protocol):
    """Where the lines come from."""

    @property
    def longest_row(self) -> int:
        """Characters that a row may have."""
        ...

    def readline(self) -> str:
        """The next line with its end."""
        ...


class Table:
    """The table in *source*, which is at its beginning; *head*: how it begins; *wanted*: names in its header.

    ``columns``: the names in its header. ``first``: the cells of its first rows, as far as they were read.
    ``skipped``: the lines before the header."""

    def __init__(self, source: Lines, head: str, wanted: frozenset[str] = frozenset()) -> None:
        csv.field_size_limit(source.longest_row)
        self._source, self._longest = source, source.longest_row
        self._start: Start = find_start(head, wanted)
        self._back: deque[str] = deque()  # lines that were read too far
        self._line = 0  # lines taken
        self.columns: tuple[str, ...] = ()
        self.first: list[tuple[str, ...]] = []
        self.skipped: list[str] = []

    @property
    def is_named(self) -> bool:
        """Whether the names of the columns say which holds what."""
        return names_both(list(self.columns))

    def rows(self) -> Iterator[FileRow]:
        """Its rows by the names in the header."""
        for _ in range(self._start.lines):
            line = self._next().strip(' \t\r\n,;|\ufeff"')
            if line and not line.casefold().startswith("sep="):
                self.skipped.append(line)
        header: list[str] = []
        for at, cells in self._records():
            if isinstance(cells, Unreadable):
                yield at, cells
            elif not any(cell.strip() for cell in cells):
                continue
            elif not self.columns:
                self.columns = _header(cells)
                header = cells
            elif cells == header:
                yield at, Unreadable("it repeats the table's header", cells)
            else:
                if len(self.first) < FIRST:
                    self.first.append(tuple(cells))
                yield at, self._row(cells)

    def _row(self, cells: list[str]) -> TableRow | Unreadable:
        """*cells* under the names of the columns: what is missing at the end is empty."""
        width = len(self.columns)
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) > width:
            return Unreadable(f"it has {len(cells)} cells and the header has {width}", cells)
        row = TableRow(zip(self.columns, [*cells, *[""] * (width - len(cells))], strict=True))
        if row.pop("", "").strip():
            return Unreadable("it has text in a column that has no name", cells)
        row.cells = len(cells) if len(cells) < width else None
        return row

    # -- records -----------------------------------------------------------------------------------
    def _records(self) -> Iterator[tuple[int, list[str] | Unreadable]]:
        while line := self._next():
            at = self._line
            if len(line) >= self._longest and not line.endswith(("\n", "\r")):
                while line and not line.endswith(("\n", "\r")):
                    line = self._source.readline()
                yield at, Unreadable(f"it is longer than {self._longest} characters", line[:1000])
            elif '"' not in line:
                yield at, line.rstrip("\r\n").split(self._start.delimiter)
            else:
                yield from self._quoted(line, at)

    def _quoted(self, line: str, at: int) -> Iterator[tuple[int, list[str] | Unreadable]]:
        """The record with quotation marks that begins with *line*."""
        cells, taken = self._strictly(line, backslashes=False)
        if cells is None and '\\"' in "".join(taken):
            self._put_back(taken[1:])
            cells, taken = self._strictly(line, backslashes=True)
        strange = cells is None or (bool(self.columns) and len(cells) != len(self.columns))
        if strange and not self._start.spaced and f'{self._start.delimiter} "' in line:
            self._put_back(taken[1:])
            cells, taken = self._strictly(line, backslashes=False, spaced=True)
        if cells is not None and len(taken) > 1 and self._swallowed(taken):
            end = at + len(taken) - 1
            for number, text in enumerate(taken, at):
                yield (
                    number,
                    Unreadable(
                        f"lines {at} to {end} are one cell but look like rows: a quotation mark is missing, or "
                        "there is one too many",
                        text,
                    ),
                )
        elif cells is not None:
            yield at, cells
        else:
            self._put_back(taken[1:])
            cells = [unquoted(cell) for cell in split_plainly(line, self._start.delimiter)]
            if line.count('"') % 2 == 0 and len(cells) == (len(self.columns) or len(cells)):
                yield at, cells  # the marks only quote: "Express" delivery
            else:
                end = at + len(taken) - 1
                reason = f", and takes in lines {at} to {end}" if len(taken) > 1 else ""
                yield at, Unreadable(f"a quotation mark in it is not closed, or in the wrong place{reason}", line)

    def _strictly(self, line: str, backslashes: bool, spaced: bool = False) -> tuple[list[str] | None, list[str]]:
        """The cells of the record that begins with *line*, None if it is not well-formed, and the lines it took."""
        taken: list[str] = []

        def lines() -> Iterator[str]:
            following, size = line, 0
            while following and size < self._longest:
                taken.append(following)
                size += len(following)
                yield following.replace('\\"', '""') if backslashes else following
                following = self._next()

        try:
            spaced = spaced or self._start.spaced
            cells = next(csv.reader(lines(), delimiter=self._start.delimiter, strict=True, skipinitialspace=spaced))
        except (csv.Error, StopIteration):
            return None, taken
        return cells, taken

    def _swallowed(self, taken: list[str]) -> bool:
        """Whether the lines of a record that goes over several look like rows: the first, and nearly all others."""
        alike = [self._looks_like_a_row(line) for line in taken]
        return len(self.columns) > 1 and alike[0] and sum(alike) >= 0.8 * len(alike)

    def _looks_like_a_row(self, line: str) -> bool:
        cells = split_plainly(line, self._start.delimiter)
        spaced = any(cell.startswith(" ") for cell in cells)  # as after the commas of a sentence
        return len(cells) == len(self.columns) and all(map(str.strip, cells[:2])) and (self._start.spaced or not spaced)

    def _next(self) -> str:
        line = self._back.popleft() if self._back else self._source.readline().replace("\0", "")
        self._line += bool(line)
        return line

    def _put_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self._line -= len(lines)


def _header(cells: list[str]) -> tuple[str, ...]:
    """The names of the columns. Raises :class:`ImportRefused` for two of one name that hold something we look for."""
    names = tuple(" ".join(cell.lstrip("\ufeff").split()) for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    seen: dict[str, int] = {}
    kept = []
    for place, name in enumerate(names, 1):
        key = fold(name)
        if name and key in seen:
            if any(sides_of((key,))[:2]) or key in MATTERING:
                raise ImportRefused(
                    f"Columns {seen[key]} and {place} of the table are both called {name!r}. Nothing was imported; "
                    "give them different names, or remove one."
                )
            name = f"{name} {place}"
        seen.setdefault(key, place)
        kept.append(name)
    return tuple(kept)
