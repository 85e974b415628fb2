"""Cells that a spreadsheet would calculate: guarded on the way out, and exactly undone on the way in."""

from __future__ import annotations

import re

OURS = "deskloop"  # stands under ``source`` in every exported row: what follows means itself
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def guarded(cell: str) -> str:
    """*cell*, with an apostrophe before it if a spreadsheet would take it for a formula or if it looks guarded."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What :func:`guarded` made *cell* of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
