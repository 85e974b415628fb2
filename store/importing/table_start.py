"""Where a table begins and what separates its cells, told by its first lines."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from store.importing import names
from store.importing.names import fold, sides_of

DELIMITERS = ",;\t|"
RECORDS = 10  # that have to agree on a delimiter
TITLES = 20  # records that may stand before the header
_OF_A_MESSAGE = (
    frozenset(names.CONVERSATION),
    frozenset((*names.SPEAKERS, *names.AUTHORS, *names.INCOMING, *names.OUTGOING, *names.DIRECTIONS)),
    frozenset(names.TEXTS),
)
_SEP = re.compile(r'\ufeff?"?sep=([,;\t|:^~])"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Start:
    """``lines``: how many stand before the header. ``spaced``: whether a space follows the header's delimiters."""

    delimiter: str
    lines: int
    spaced: bool


def find_start(head: str, wanted: frozenset[str] = frozenset()) -> Start:
    """The beginning of the table that begins as *head*; *wanted*: names that are known to be in its header."""
    said = _SEP.match(head)
    body = head[said.end() :] if said else head
    lines = body.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiters = said[1] if said else DELIMITERS
    starts = [_try(lines, delimiter, wanted) for delimiter in delimiters]
    start = max(starts, key=lambda found: found[0])[1]
    return Start(start.delimiter, start.lines + (1 if said else 0), start.spaced)


def _try(lines: list[str], delimiter: str, wanted: frozenset[str]) -> tuple[tuple[bool, float, int], Start]:
    """How well *delimiter* fits, the more the better, and where the table would begin with it."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    records: list[tuple[int, list[str]]] = []  # the line each begins on, its cells
    before = 0
    try:
        for cells in islice(reader, RECORDS + TITLES):
            records.append((before, [" ".join(cell.split()) for cell in cells]))
            before = reader.line_num
    except csv.Error:
        pass
    told = [(line, cells) for line, cells in records if any(cells)]
    if not told:
        return (False, 0.0, 0), Start(delimiter, 0, False)
    known = next(
        (
            place
            for place, (_, cells) in enumerate(told[:TITLES])
            if wanted <= set(cells) and (wanted or names_both(cells))
        ),
        None,
    )
    width = Counter(len(cells) for _, cells in told).most_common(1)[0][0]
    begin = known
    if begin is None:  # a title has one cell with text
        begin = next((place for place, (_, cells) in enumerate(told) if sum(map(bool, cells)) > 1), 0)
        if width < 2 or sum(map(bool, told[begin][1])) < 2:
            begin = 0
    ten = [cells for _, cells in told[begin : begin + RECORDS]]
    wide = len(ten[0])
    agree = sum(_as_wide(cells, wide) for cells in ten) / len(ten) if wide > 1 else 0.0
    line = told[begin][0]
    spaced = f"{delimiter} " in lines[line]
    return (known is not None, agree, wide), Start(delimiter, line, spaced)


def names_both(cells: list[str]) -> bool:
    """Whether *cells* are a header that names both sides, or all that a message has."""
    if any(len(cell) > 80 for cell in cells):
        return False
    found = tuple(fold(cell) for cell in cells)
    return None not in sides_of(found)[:2] or all(set(found) & wanted for wanted in _OF_A_MESSAGE)


def _as_wide(cells: list[str], width: int) -> bool:
    """Whether a record has *width* cells but for empty ones at its end, or for missing ones."""
    while len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    return len(cells) == width


def split_plainly(line: str, delimiter: str) -> list[str]:
    """The cells of *line* if quotation marks meant nothing."""
    return line.rstrip("\r\n").split(delimiter)


def unquoted(cell: str) -> str:
    """*cell* without the marks around it, where they are around all of it: not in ``"Express" or "normal"``."""
    inner = cell.strip()[1:-1]
    if cell.strip() != f'"{inner}"':
        return cell
    first = inner.find('"')
    opens = first <= 0 or (inner[first - 1] in " (" and inner[first + 1 : first + 2].strip() != "")
    return inner.replace('""', '"') if first < 0 or opens else cell
