"""Finding texts that are to be erased, however they are spelled, and taking them out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from store.erasing.columns import KEPT_INSIDE
from store.words import ERASED

SHORTEST = 3  # visible characters of a text to look for: fewer are in every sentence
# A title that was cut off inside a text holds its beginning. So many characters of it tell where the conversation holds
# the rest; elsewhere it has to be so much of it, for "number 4711" begins as many a title ends.
LEAST_CUT, CUT_SHARE = 4, 0.75

_SPACES = re.compile(r"\s+")
# What nobody sees between two letters: format characters, variation selectors, tags.
_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
_ESCAPE = re.compile(
    r"(?:\\x[0-9a-fA-F]{2})+|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[nrt\"'\\/]"
)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}
Unit = tuple[int, int, str]  # where a character begins and ends in the text, and the character


def normal(text: str) -> str:
    """The form in which texts are compared: NFKC, casefolded, without what is hidden, spaces as one."""
    folded = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", folded)).strip()


class Words:
    """Texts to be found inside others, also inside longer words."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._wanted = sorted({normal(text) for text in texts} - {""}, key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._wanted)

    # -- plain text --------------------------------------------------------------------------------
    def hold(self, text: str | None) -> bool:
        """Whether one of them is in *text*."""
        if not text:
            return False
        found = normal(text)
        return any(wanted in found for wanted in self._wanted)

    def without(self, text: str) -> str:
        """*text* with a mark in the place of each."""
        return self._replaced(text, [(place, place + 1, letter) for place, letter in enumerate(text)], self.hold)

    def hold_cut(self, text: str | None, share: float = CUT_SHARE) -> bool:
        """Whether one is in *text*, or so large a *share* of one, its beginning, at the end, where *text* was cut off
        with an ellipsis."""
        return self.hold(text) or self._cut(text or "", share) is not None

    def without_cut(self, text: str, share: float = CUT_SHARE) -> str:
        """*text* without them, and without the beginning of one at its end."""
        shorter = self.without(text) if self.hold(text) else text
        place = self._cut(shorter, share)
        return shorter if place is None else f"{shorter[:place]}{ERASED}"

    def _cut(self, text: str, share: float) -> int | None:
        """Where the beginning of one of them stands at the end of *text*, which ends with an ellipsis."""
        if not text.endswith("…"):
            return None
        body = text.removesuffix("…")
        for place in range(len(body)):
            end = normal(body[place:])
            if len(end) < LEAST_CUT:
                break
            if not body[place].isspace() and any(
                wanted.startswith(end) and len(end) >= share * len(wanted) for wanted in self._wanted
            ):
                return place
        return None

    # -- JSON --------------------------------------------------------------------------------------
    # Names are deskloop's own, never what somebody said, as are the values of some: they stay, or nothing reads them.
    def json_holds(self, raw: str | None) -> bool:
        """Whether one is in a string of the JSON *raw* (or in *raw*, if it is none)."""
        return any(map(self.hold, _strings(_loaded(raw)))) if raw else False

    def json_without(self, raw: str) -> str:
        """*raw* with marks in the place of each."""
        value = self._walked(_loaded(raw))
        return value if isinstance(value, str) and not _is_json(raw) else json.dumps(value)

    def _walked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.without(value) if self.hold(value) else value
        if isinstance(value, list):
            return [self._walked(item) for item in value]
        if isinstance(value, dict):
            return {key: item if _kept(key, item) else self._walked(item) for key, item in value.items()}
        return value

    # -- files -------------------------------------------------------------------------------------
    def file_holds(self, text: str) -> bool:
        """Whether one is in *text* as it stands, or written with escapes as JSON and programs do."""
        return self.hold(text) or ("\\" in text and self.hold(_unescaped(text)))

    def file_without(self, text: str) -> str:
        """*text* with marks in the place of each, whichever way it is written."""
        plain = self.without(text) if self.hold(text) else text
        if "\\" not in plain or not self.hold(_unescaped(plain)):
            return plain
        return self._replaced(plain, list(_units(plain)), lambda rest: self.hold(_unescaped(rest)))

    # -- places ------------------------------------------------------------------------------------
    def _replaced(self, text: str, units: list[Unit], still: Callable[[str], bool]) -> str:
        parts, end = [], 0
        for first, last in self._spans(units):
            parts += [text[end:first], ERASED]
            end = last
        rest = "".join([*parts, text[end:]])
        # Spelled in a way whose place can't be told, all of it goes.
        return ERASED if still(rest.replace(ERASED, " ")) else rest

    def _spans(self, units: list[Unit]) -> list[tuple[int, int]]:
        """Where in the text they stand, in order, none inside another."""
        letters: list[str] = []
        owners: list[tuple[int, int]] = []
        for start, end, cluster in _clusters(units):
            piece = _HIDDEN.sub("", cluster)
            if piece and piece.isspace():
                piece = "" if letters and letters[-1] == " " else " "
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", piece).casefold())
            letters += folded
            owners += [(start, end)] * len(folded)
        line, found = "".join(letters), list[tuple[int, int]]()
        for wanted in self._wanted:
            place = line.find(wanted)
            while place >= 0:
                found.append((owners[place][0], owners[place + len(wanted) - 1][1]))
                place = line.find(wanted, place + 1)
        merged: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


def _clusters(units: list[Unit]) -> Iterator[Unit]:
    """A letter with the marks on it, or the parts of a Korean syllable, as one unit: they are normalised together."""
    held: Unit | None = None
    for start, end, letter in units:
        if held is not None and (unicodedata.combining(letter) or "\u1160" <= letter <= "\u11ff"):
            held = (held[0], end, held[2] + letter)
            continue
        if held is not None:
            yield held
        held = (start, end, letter)
    if held is not None:
        yield held


def _units(text: str) -> Iterator[Unit]:
    """The characters that *text* stands for, an escape being one."""
    place = 0
    for match in _ESCAPE.finditer(text):
        yield from ((at, at + 1, text[at]) for at in range(place, match.start()))
        for letter in _meant(match[0]):
            yield match.start(), match.end(), letter
        place = match.end()
    yield from ((at, at + 1, text[at]) for at in range(place, len(text)))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _meant(match[0]), text)


def _meant(escape: str) -> str:
    if escape[1] == "x":
        raw = bytes.fromhex(escape.replace("\\x", ""))
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    if escape[1] in "uU":
        raw = b"".join(int(part, 16).to_bytes(2, "big") for part in escape.split("\\u")[1:])
        if escape[1] == "U":
            return chr(min(int(escape[2:], 16), 0x10FFFF))
        return raw.decode("utf-16-be", "replace")
    return _SIMPLE.get(escape[1], escape[1])


def _loaded(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _is_json(raw: str) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not _kept(key, item):
                yield from _strings(item)


def _kept(key: str, value: Any) -> bool:
    """Whether what stands under *key* is deskloop's own word and nobody's."""
    return key in KEPT_INSIDE and isinstance(value, str)
