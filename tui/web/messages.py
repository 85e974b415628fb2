"""What a browser's page says over its web socket, and how much of it is taken."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.web.session import Session, WindowSize

LARGEST = 2**21  # bytes of one message: the longest text that can be pasted, escaped
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 200.0, 400.0
BYTES_A_SECOND, BYTES_AT_ONCE = 2.0**18, 2.0**22


class Unreadable(ValueError):
    """A message that no page of ours sends."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message: what it is about, and what it says of that."""

    kind: str
    value: object


def read(text: str) -> Said:
    """The message in *text*. Raises :class:`Unreadable`."""
    try:
        match json.loads(text):
            case ["stdin" | "ping" as kind, str(value)]:
                return Said(kind, value)
            case ["resize", {"width": width, "height": height}]:
                return Said("resize", WindowSize.of(width, height))
            case ["focus" | "blur" as kind]:
                return Said(kind, None)
    except (ValueError, RecursionError):
        pass
    raise Unreadable


async def pass_on(said: Said, session: Session) -> None:
    """Have the app hear it."""
    match said:
        case Said("stdin", str(text)):
            await session.type_in(text)
        case Said("resize", WindowSize() as size):
            session.resize(size)
        case Said("focus" | "blur" as kind, _):
            await session.focus(has=kind == "focus")


class Pace:
    """So much a second, and so much at once; who brings more waits."""

    def __init__(self, a_second: float, at_once: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._left, self._seen = at_once, clock()

    def due(self, amount: float) -> float:
        """Seconds to wait before *amount* is taken."""
        now = self._clock()
        self._left = min(self._at_once, self._left + (now - self._seen) * self._a_second) - amount
        self._seen = now
        return max(0.0, -self._left / self._a_second)


class Paces:
    """The pace of one connection. The time it waits, nothing is read from it, so its sender waits as well."""

    def __init__(self) -> None:
        self._messages = Pace(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        self._bytes = Pace(BYTES_A_SECOND, BYTES_AT_ONCE)

    async def take(self, text: str) -> None:
        """Wait as long as *text* makes necessary."""
        if (wait := max(self._messages.due(1), self._bytes.due(len(text)))) > 0:
            await asyncio.sleep(wait)
