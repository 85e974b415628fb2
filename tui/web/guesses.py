"""Wrong secrets: each takes time, few at once, few a minute."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import Callable

WRONG_SECONDS = 1.0  # the answer to a wrong guess takes so long
AT_ONCE = 4  # guesses that wait for their answer
A_MINUTE = 10  # guesses from one address
A_MINUTE_IN_ALL = 60


def neighbours(address: str | None) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of IPv6 that one customer of a provider gets."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Guesses:
    """Counts what was guessed in this minute, by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = 0
        self._wrong: Counter[str] = Counter()
        self._waiting = 0

    def too_many(self, address: str | None) -> bool:
        """Whether the next guess from *address* is refused unread."""
        if (minute := int(self._clock() // 60)) != self._minute:
            self._minute = minute
            self._wrong.clear()
        return self._wrong[neighbours(address)] >= A_MINUTE or self._wrong.total() >= A_MINUTE_IN_ALL

    async def wrong(self, address: str | None) -> None:
        """Count a wrong guess, and take the time of one unless others take it already."""
        if not self.too_many(address):
            self._wrong[neighbours(address)] += 1
        if self._waiting < AT_ONCE:
            self._waiting += 1
            try:
                await asyncio.sleep(WRONG_SECONDS)
            finally:
                self._waiting -= 1
