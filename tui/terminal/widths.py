"""How many columns a character takes: the wider of two opinions.

Textual measures by rich, for which the vowel signs of Hindi, Tamil or Burmese take no column of their own, nor do the
skin tones of an emoji. The C library says otherwise, and most terminals and tmux follow it: a line that fits by the one
opinion runs over its end by the other, and a word is not on the screen. Measured by the wider one nothing is lost:
where a terminal follows the narrower, a line only ends early."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich import cells
from rich._unicode_data import load

_JAMO = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))  # they join the letter before them in either opinion


def wider(span: cells.CellSpan) -> list[cells.CellSpan]:
    """A span of rich's table, whose characters rich gives no column, in spans by the wider opinion."""
    start, end, _ = span
    spans: list[cells.CellSpan] = []
    for code in range(start, end + 1):
        width = _other_opinion(code)
        if spans and spans[-1][2] == width:
            spans[-1] = (spans[-1][0], code, width)
        else:
            spans.append((code, code, width))
    return spans


def _other_opinion(code: int) -> int:
    """Columns by the rule of the C library: none for what is drawn over another character or not drawn at all."""
    character = chr(code)
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc", "Cs", "Cn", "Zl", "Zp"):
        return 0
    if any(code in jamo for jamo in _JAMO):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@lru_cache
def _table(unicode_version: str = "auto") -> cells.CellTable:
    table = load(unicode_version)
    spans = [part for span in table.widths for part in (wider(span) if span[2] == 0 else [span])]
    return table._replace(widths=spans)


def measure_by_the_wider() -> None:
    """Let everything in this process measure so. To be called before anything is drawn."""
    if vars(cells)["load_cell_table"] is not _table:
        vars(cells)["load_cell_table"] = _table  # what every measure in rich and textual is taken by
        cells.get_character_cell_size.cache_clear()
        cells.cached_cell_len.cache_clear()
