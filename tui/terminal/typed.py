"""Text that a terminal types in its operator's stead.

A paste comes in brackets, so that it can be told from typing. Some terminals, and programs between a terminal and the
app, send it as keys: many characters at once. Taken for keys, every end of a line in it would send a message, and every
tab would lead out of the text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

MANY = 4  # characters that nobody types between two reads of a thread that does nothing but read
SAME_PASTE = 0.05  # seconds within which more text belongs to the paste before it
_MARK = len(BRACKETED_PASTE_START)
_INSIDE = re.compile(r"[\r\n\t][\r\n\t]*[^\r\n\t]")  # an end of a line or a tab with text behind it
_ESCAPE = "\x1b"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # keys that are no text


def is_pasted(text: str) -> bool:
    """Whether *text*, which came at once and without brackets, was pasted: many characters, ends of lines or tabs
    among them. With one at its very end it may be a line that was typed and sent."""
    return len(text) >= MANY and _ESCAPE not in text and _INSIDE.search(text) is not None


class TypedParser(XTermParser):
    """Reads keys, and pastes with or without brackets. *clock* counts seconds."""

    def __init__(self, debug: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pasted_at: float | None = None
        self._bracketed = False
        self._tail = ""
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """What *data*, the text of one read, means."""
        bracketed, waiting = self._bracketed, self._timeout_time is not None
        self._look_for_brackets(data)
        if bracketed or waiting or not data or not self._is_paste(data):
            return super().feed(data)
        self._pasted_at = self._clock()
        return super().feed(f"{BRACKETED_PASTE_START}{data}{BRACKETED_PASTE_END}")

    def _is_paste(self, data: str) -> bool:
        if is_pasted(data):
            return True
        soon = self._pasted_at is not None and self._clock() - self._pasted_at < SAME_PASTE
        return soon and _CONTROLS.search(data) is None  # its rest, with the end of its last line

    def _look_for_brackets(self, data: str) -> None:
        seen = self._tail + data
        begin, end = seen.rfind(BRACKETED_PASTE_START), seen.rfind(BRACKETED_PASTE_END)
        if begin != end:  # one of them is there
            self._bracketed = begin > end
        self._tail = seen[1 - _MARK :]
