"""Texts with their differences marked: by signs in the text itself, and by style beside them."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from tui.core.differences import Piece, differences
from tui.widgets.text import seen

GONE, NEW, OTHER = ("[-", "-]"), ("{+", "+}"), ("‹", "›")
STYLE = "bold underline"


def before_and_after(before: str, after: str) -> tuple[Content, Content]:
    """What is gone is marked ``[-so-]``, what is new ``{+so+}``."""
    one, other = differences(seen(before), seen(after))
    return marked(one, GONE), marked(other, NEW)


def side_by_side(left: str, right: str) -> tuple[Content, Content]:
    """What the other side does not say is marked ``‹so›``."""
    one, other = differences(seen(left), seen(right))
    return marked(one, OTHER), marked(other, OTHER)


def marked(pieces: Iterable[Piece], signs: tuple[str, str]) -> Content:
    """The pieces as text; *signs* stand around those that the other text lacks. Nothing in them is markup."""
    begin, end = signs
    return Content.assemble(*((f"{begin}{text}{end}", STYLE) if lacking else text for text, lacking in pieces))
