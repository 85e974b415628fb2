"""`deskloop serve`: the page and its web socket, behind the door."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import re
import signal
import socket
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from store.home import Home
from tui.web.connections import HEADER_SECONDS, Connection, Connections
from tui.web.door import OWNER, TOKEN, Door, protect, socket_address
from tui.web.messages import LARGEST, Paces, Unreadable, pass_on, read
from tui.web.minute_log import MinuteLog
from tui.web.secret import Secret
from tui.web.session import Session, WindowSize
from tui.web.sessions import NoRoom, Sessions

PAGE = Path(str(files("tui.web") / "page"))
TERMINAL = Path(textual_serve.__file__).parent / "static"
HEARTBEAT = 15.0  # seconds between two looks whether a browser is still there
NAME = re.compile(r"[0-9a-f]{0,64}")  # what a page may call its tab


class SocketLink:
    """A web socket as a session sees it. Only the request that opened it closes it: two closing at once lose the
    reason."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done, with the reason, once it has to be closed."""

    async def send_bytes(self, data: bytes) -> None:
        """Give the browser what the app draws."""
        await self._socket.send_bytes(data)

    def end(self, code: int) -> None:
        """Have it closed."""
        if not self.ending.done():
            self.ending.set_result(code)


class DeskServer:
    """Serves one app for each tab. *secret* opens the door; ``port``: 0 for any free one."""

    def __init__(self, home: Home, host: str, port: int, secret: Secret) -> None:
        self.host, self.port = host, port
        self.log = MinuteLog(home.logs / "serve.log")
        self.sessions = Sessions(home)
        self.connections = Connections(self.log.count)
        self._door = Door(secret, host, self.connections, self.log.count)
        self._template = Template((PAGE / "index.html").read_text(encoding="utf-8"))

    def make_app(self) -> web.Application:
        """The web application, behind its door."""
        self._door.cookie = f"deskloop-{self.port}"
        app = web.Application(middlewares=[self._door.__call__])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._socket),
                web.get("/ws/{name}", self._socket),
                web.static("/static", TERMINAL),
                web.static("/page", PAGE),
            ]
        )
        app.on_response_prepare.append(protect)
        app.on_shutdown.append(self._leave)
        return app

    async def _leave(self, app: web.Application) -> None:
        await self.sessions.close()

    async def _page(self, request: web.Request) -> web.Response:
        """The page, with addresses as the visitor sees this machine."""
        values = {"socket": html.escape(socket_address(request, "/ws")), "size": _font_size(request)}
        return web.Response(text=self._template.substitute(values), content_type="text/html")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """A tab's app: drawn, and typed into."""
        name, owner = request.match_info.get("name", ""), request[OWNER]
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST, compress=False)
        if not NAME.fullmatch(name):
            raise web.HTTPNotFound
        if not self.sessions.has_room(owner, name):
            self.log.count("no room for another session")
            raise web.HTTPServiceUnavailable(text=NoRoom.sentence)
        if not socket.can_prepare(request):
            raise web.HTTPUpgradeRequired(text="This address is for the page's own connection.")
        await socket.prepare(request)
        self.connections.stay(request.transport)
        link = SocketLink(socket)
        try:
            session = await self.sessions.enter(owner, name, link, _size(request))
        except (NoRoom, OSError) as error:
            self.log.count(f"no session was begun ({type(error).__name__})")
            link.end(WSCloseCode.TRY_AGAIN_LATER)
        else:
            hearing = asyncio.create_task(self._hear(socket, session), name="hearing")
            try:
                either: set[asyncio.Future[Any]] = {hearing, link.ending}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.sessions.leave(session, link)
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
        await socket.close(code=link.ending.result() if link.ending.done() else WSCloseCode.OK)
        return socket

    async def _hear(self, socket: web.WebSocketResponse, session: Session) -> None:
        """Pass on what the page says, as long as it is there."""
        paces = Paces()
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            await paces.take(message.data)
            try:
                said = read(message.data)
            except Unreadable:
                self.log.count("messages that no page of ours sends")
                continue
            if said.kind == "ping":
                await socket.send_json(["pong", said.value])
            await pass_on(said, session)

    # -- serving -----------------------------------------------------------------------------------
    async def run(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Serve on *listening* until a signal says that it is enough."""
        self.port = listening.getsockname()[1]
        runner = web.AppRunner(
            self.make_app(), access_log=None, keepalive_timeout=HEADER_SECONDS, lingering_time=1.0, shutdown_timeout=5.0
        )
        await runner.setup()
        handler = runner.server
        assert handler is not None
        loop = asyncio.get_running_loop()
        writing = asyncio.create_task(self.log.keep(), name="minute-log")
        server = await loop.create_server(lambda: Connection(handler(), self.connections), sock=listening)
        try:
            ready()
            await _told_to_end(loop)
        finally:
            server.close()
            await runner.cleanup()
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing


async def _told_to_end(loop: asyncio.AbstractEventLoop) -> None:
    """Wait for the first of the signals that end the server; a second one has its usual meaning."""
    enough = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for each in signals:
        loop.add_signal_handler(each, enough.set)
    await enough.wait()
    for each in signals:
        loop.remove_signal_handler(each)


def _size(request: web.Request) -> WindowSize:
    """The window's size, or the usual one where the address names none."""
    try:
        return WindowSize.of(int(request.query["width"][:6]), int(request.query["height"][:6]))
    except (KeyError, ValueError):
        return WindowSize(80, 24)


def _font_size(request: web.Request) -> int:
    """The size of letters that ``?fontsize=`` asks for."""
    try:
        return min(max(int(request.query.get("fontsize", "")[:3]), 8), 48)
    except ValueError:
        return 16


def serve(server: DeskServer, token: str | None, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. *say* gets the address, with the token in it if there is one. Raises :class:`OSError` if the
    address can't be used."""
    logging.basicConfig(handlers=[server.log], level=logging.WARNING, force=True)
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((server.host, server.port))
        name = f"[{server.host}]" if ":" in server.host else server.host
        port = listening.getsockname()[1]
        query = f"/?{TOKEN}={token}" if token else ""
        asyncio.run(server.run(listening, lambda: say(f"http://{name}:{port}{query}")))
