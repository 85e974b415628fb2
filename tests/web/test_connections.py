"""Who holds connections open, sends for ever or reads nothing, keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from store.home import Home
from tests.web.conftest import TOKEN, with_token
from tui.web.connections import UNREAD_BYTES, Connection, Connections
from tui.web.server import DeskServer

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
async def server(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DeskServer]:
    """A server on a socket of its own, with little patience and little room."""
    monkeypatch.setattr("tui.web.server.HEADER_SECONDS", 0.2)
    monkeypatch.setattr("tui.web.connections.MOST_OF_ONE", 8)
    made = with_token(home)
    ready, enough = asyncio.Event(), asyncio.Event()

    async def told_to_end(loop: asyncio.AbstractEventLoop) -> None:
        await enough.wait()

    monkeypatch.setattr("tui.web.server._told_to_end", told_to_end)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(made.run(listening, ready.set))
        await ready.wait()
        yield made
        enough.set()
        await serving


async def opened(server: DeskServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection."""
    return await asyncio.open_connection("127.0.0.1", server.port)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection is closed."""
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionError:
        return b""


async def sends_until_closed(server: DeskServer, data: bytes, pause: float) -> int:
    """How often *data* could be sent before the connection was closed."""
    reader, writer = await opened(server)
    sent = 0
    try:
        async with asyncio.timeout(60):
            while not reader.at_eof():
                writer.write(data)
                await writer.drain()
                sent += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(2**16), pause)
    except ConnectionError:
        pass
    writer.close()
    return sent


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", REQUEST + b"GET /", REQUEST * 3]
)
async def test_headers_that_never_end_are_not_waited_for(server: DeskServer, sent: bytes) -> None:
    reader, writer = await opened(server)
    writer.write(sent)
    await rest(reader)
    writer.close()


async def test_a_connection_without_a_session_ends_however_busy_it_is(
    server: DeskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.web.connections.LIFETIME_SECONDS", 0.5)
    monkeypatch.setattr("tui.web.connections.UNREAD_BYTES", 2**50)
    assert await sends_until_closed(server, REQUEST, 0.02) > 1


async def test_requests_without_end_on_one_connection_are_cut(server: DeskServer) -> None:
    assert await sends_until_closed(server, REQUEST * 100, 0.001) * len(REQUEST * 100) < 20 * UNREAD_BYTES


async def test_who_holds_every_connection_keeps_nobody_out(server: DeskServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web.server.HEADER_SECONDS", 1000.0)
    held = [await opened(server) for _ in range(40)]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as operator:
        answer = await operator.get(f"http://127.0.0.1:{server.port}/?token={TOKEN}")
        assert answer.status == 200
        held += [await opened(server) for _ in range(40)]
        assert len(server.connections) <= 8
        assert (await operator.get(f"http://127.0.0.1:{server.port}/page/desk.js")).status == 200
    for _, writer in held:
        writer.close()


def test_the_oldest_that_has_shown_nothing_has_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web.connections.MOST", 4)
    refused: list[str] = []
    connections = Connections(refused.append)
    made = [Connection(asyncio.Protocol(), connections) for _ in range(7)]
    cut: list[Connection] = []
    monkeypatch.setattr(Connection, "cut", lambda self: cut.append(self))
    keys = [asyncio.BaseTransport() for _ in made]
    for index in range(4):
        made[index].address = f"192.0.2.{index}"
        assert connections.take(keys[index], made[index])
    for index in (0, 2):
        connections.admit(keys[index])
    assert connections.take(keys[4], made[4])
    assert connections.take(keys[5], made[5])
    assert cut == [made[1], made[3]]
    for index in (4, 5):
        connections.admit(keys[index])
    assert not connections.take(keys[6], made[6])
    assert refused == ["too many connections"] * 3
