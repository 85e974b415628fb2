"""How many may be connected, for how long, and how much they may send before they are let in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui.web.guesses import neighbours

MOST = 100  # connections
MOST_OF_ONE = 50  # from one address; a browser makes seven
HEADER_SECONDS = 10.0  # a request's headers, and the wait for the next request
LIFETIME_SECONDS = 60.0  # of a connection that is not a session's
UNREAD_BYTES = 2**16  # such a connection sends at most so much: nothing is ever uploaded


class Connection(asyncio.Protocol):
    """One connection: what is between the socket and aiohttp."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner, self._connections = inner, connections
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._left = UNREAD_BYTES
        self.address = ""
        self.admitted = False
        """Whether a request on it has shown that it may come in."""
        self.stays = False
        """Whether it carries a session, which has limits of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it, if there is room."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = neighbours(peer[0] if peer else None)
        self._inner.connection_made(transport)
        if self._connections.take(transport, self):
            self._deadline = asyncio.get_running_loop().call_later(LIFETIME_SECONDS, self.cut)
        else:
            self.cut()

    def cut(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def stay(self) -> None:
        """It carries a session from now on."""
        self.stays = True
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        """Pass on what comes, up to the limit."""
        if not self.stays:
            self._left -= len(data)
            if self._left < 0:
                self._connections.refused("sent more than a request")
                self.cut()
                return
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._transport is not None:
            self._connections.forget(self._transport)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()


class Connections:
    """All that are open. *refused* is called with why one was not taken or was cut."""

    def __init__(self, refused: Callable[[str], None]) -> None:
        self.refused = refused
        self._open: dict[asyncio.BaseTransport, Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, transport: asyncio.BaseTransport, new: Connection) -> bool:
        """Take *new*. Where there is no room, the oldest that has shown nothing has to go, of the same address first
        to be sure; so whoever holds connections open keeps nobody out. False: there is none, so *new* has to go."""
        same = [each for each in self._open.values() if each.address == new.address]
        crowd = same if len(same) >= MOST_OF_ONE else list(self._open.values()) if len(self._open) >= MOST else None
        if crowd is not None:
            self.refused("too many connections")
            oldest = next((each for each in crowd if not each.admitted), None)
            if oldest is None:
                return False
            oldest.cut()
            self._open = {key: each for key, each in self._open.items() if each is not oldest}
        self._open[transport] = new
        return True

    def forget(self, transport: asyncio.BaseTransport) -> None:
        """It is closed."""
        self._open.pop(transport, None)

    def admit(self, transport: asyncio.BaseTransport | None) -> None:
        """A request on it was let in."""
        if transport is not None and (found := self._open.get(transport)) is not None:
            found.admitted = True

    def stay(self, transport: asyncio.BaseTransport | None) -> None:
        """It carries a session from now on."""
        if transport is not None and (found := self._open.get(transport)) is not None:
            found.stay()
