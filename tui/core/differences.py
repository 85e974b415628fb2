"""What two texts do not have in common, word by word (character by character where a script has no spaces)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from store.text import HAN, HANGUL, KANA

Piece = tuple[str, bool]  # a stretch of text, and whether the other text lacks it

LONGEST = 3000  # words: comparing takes time by their square, and nobody reads the marks of a longer text
_WORDS = re.compile(rf"\s+|[{HAN}{KANA}{HANGUL}]|[^\W_{HAN}{KANA}{HANGUL}]+|.", re.DOTALL)


def differences(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, in order; joined they are the texts. Texts too long to compare are one piece each."""
    left, right = _words(one), _words(other)
    if one == other or max(len(left), len(right)) > LONGEST:
        lacking = one != other
        return _joined([(one, lacking)]), _joined([(other, lacking)])
    first: list[Piece] = []
    second: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        first.append(("".join(left[a:b]), tag != "equal"))
        second.append(("".join(right[c:d]), tag != "equal"))
    return _joined(first), _joined(second)


def _words(text: str) -> list[str]:
    # A long text need not be cut to its end to be found too long.
    return [match[0] for match, _ in zip(_WORDS.finditer(text), range(LONGEST + 1), strict=False)]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece; a gap of white space between two marked ones belongs to them."""
    joined: list[Piece] = []
    for place, (text, lacking) in enumerate(pieces):
        between = 0 < place < len(pieces) - 1 and text.isspace() and pieces[place - 1][1] and pieces[place + 1][1]
        marked = lacking or between
        if not text:
            continue
        if joined and joined[-1][1] == marked:
            joined[-1] = (joined[-1][0] + text, marked)
        else:
            joined.append((text, marked))
    return joined
