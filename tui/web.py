"""The app in a browser: textual-serve behind a door.

Whoever reaches the page is an operator, so the door is strict. Requests must name the host they were meant for, which
keeps other web sites that the operator has open from speaking to a desk on the same machine, over HTTP or WebSocket.
With a password every request, WebSockets included, needs it. The page may load nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import logging
import os
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server, to_int

from store.home import HOME_VARIABLE, Home

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_SESSIONS = 4  # each is an app with an engine, and so a base in memory, of its own
WRONG_PASSWORD_SECONDS = 1.0  # the answer to a wrong password takes so long
REALM = 'Basic realm="deskloop", charset="UTF-8"'
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' {socket}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach *host*."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class DeskServer(Server):
    """Serves one app for each visitor, at most :data:`MAX_SESSIONS` at a time. ``password``: None for none."""

    def __init__(self, home: Home, host: str, port: int, password: str | None = None) -> None:
        script = "from tui.cli import main; main()"
        super().__init__(shlex.join([sys.executable, "-c", script]), host=host, port=port, title="deskloop")
        os.environ[HOME_VARIABLE] = str(home.root)  # what the visitors' apps open
        self._wanted = None if password is None else _digest(password)
        self.sessions = 0
        """How many visitors have an app now."""

    async def make_app(self) -> web.Application:
        """The web application, behind its door."""
        app = await self._make_app()
        app.middlewares.append(self._door)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed: the command says where the page is."""

    # -- the door ----------------------------------------------------------------------------------
    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_meant(request):
            raise web.HTTPForbidden(text="This request was meant for another host.")
        if self._wanted is not None and not _same(request.headers.get("Authorization", ""), self._wanted):
            if "Authorization" in request.headers:
                await asyncio.sleep(WRONG_PASSWORD_SECONDS)
            raise web.HTTPUnauthorized(
                text="This desk needs a password.",
                headers={"WWW-Authenticate": REALM},
            )
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY.format(socket=_socket(request, ""))
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _is_meant(self, request: web.Request) -> bool:
        """Whether the request came from this desk's own page, by the host it names and where it says it comes from."""
        origin = request.headers.get("Origin")
        try:
            host = urlsplit(f"//{request.host}").hostname or ""
            own = origin is None or urlsplit(origin).netloc == request.host
        except ValueError:
            return False
        return own and (is_loopback(host) or not is_loopback(self.host))

    # -- what textual-serve does, with the host the visitor knows -----------------------------------
    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page, with addresses as the visitor sees this machine."""
        return {
            "font_size": to_int(request.query.get("fontsize", "16"), 16),
            "app_websocket_url": f"{_socket(request, '/ws')}",
            "config": {"static": {"url": "/static/"}},
            "application": {"name": self.title},
        }

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One visitor's app, if there is room for one more."""
        if self.sessions >= MAX_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_SESSIONS} are here already. Close one of them.")
        self.sessions += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self.sessions -= 1


def _socket(request: web.Request, path: str) -> str:
    """Where the visitor's browser finds the web socket; a page that came by TLS opens no other one. What a proxy says
    of that is believed: whoever says it otherwise only spoils a page of their own."""
    secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
    return f"{'wss' if secure else 'ws'}://{request.host}{path}"


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()


def _same(header: str, wanted: bytes) -> bool:
    """Whether the header carries the password whose digest is *wanted*; the user's name does not matter. Takes the
    same time for any wrong one."""
    kind, _, coded = header.partition(" ")
    try:
        _, _, given = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        given = ""
    return hmac.compare_digest(_digest(given), wanted) and kind.casefold() == "basic"


def serve(server: DeskServer, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. Raises :class:`OSError` if the address can't be used."""
    logging.getLogger("textual-serve").setLevel(logging.ERROR)
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((server.host, server.port))
        server.port = listening.getsockname()[1]
        name = f"[{server.host}]" if ":" in server.host else server.host
        say(f"http://{name}:{server.port}")
        web.run_app(server.make_app(), sock=listening, access_log=None, print=None, shutdown_timeout=5)
