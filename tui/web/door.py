"""Who comes in.

Whoever reaches the page is an operator, so the door is strict. Requests must name the host they were meant for, which
keeps other web sites that the operator has open from speaking to a desk on the same machine, over HTTP or WebSocket.
The secret is shown once, in a link or to the browser's question, and a cookie stands for it from then on.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from tui.web.connections import Connections
from tui.web.guesses import Guesses
from tui.web.secret import Logins, Secret

Answer = TypeVar("Answer", bound=web.StreamResponse)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REALM = 'Basic realm="deskloop", charset="UTF-8"'
TOKEN = "token"  # the name in the link's query
OWNER: web.RequestKey[str | None] = web.RequestKey("owner", str)
CLOSED = """<!DOCTYPE html><html lang="en"><title>deskloop</title>
<p>Open this desk with the link that <code>deskloop serve</code> printed when it started.
<p>If you have just followed that link, <a href="/">continue to the desk</a>.
"""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' {socket}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach *host*."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_secure(request: web.Request) -> bool:
    """Whether the page came by TLS. What a proxy says of that is believed: whoever says it otherwise only spoils a page
    of their own."""
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"


def socket_address(request: web.Request, path: str) -> str:
    """Where the visitor's browser finds the web socket; a page that came by TLS opens no other one."""
    return f"{'wss' if is_secure(request) else 'ws'}://{request.host}{path}"


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says: nothing from elsewhere, nowhere else, nothing kept, nothing told to others."""
    headers = response.headers
    socket = socket_address(request, "") if _names_host(request) else ""
    headers["Content-Security-Policy"] = POLICY.format(socket=socket)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    headers.popall("Server", None)


class Door:
    """Lets requests in that show the secret or a cookie. *host*: where is listened; *refused* is called with why a
    request was not let in."""

    def __init__(self, secret: Secret, host: str, connections: Connections, refused: Callable[[str], None]) -> None:
        self._secret, self._host, self._refused = secret, host, refused
        self._connections = connections
        self._logins = Logins()
        self._guesses = Guesses()
        self.cookie = "deskloop"
        """The cookie's name: browsers send cookies to every port of a host, so each port has its own."""

    @web.middleware
    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request in, or not."""
        if not self._is_meant(request):
            self._refused("named another host or came from another site")
            raise web.HTTPForbidden(text="This request was for another host.")
        request[OWNER] = owner = self._logins.who(request.cookies.get(self.cookie))
        if TOKEN in request.query and self._secret.kind == "token" and request.path == "/":
            if owner is not None:  # a new cookie would part the browser from the apps it has
                raise web.HTTPSeeOther("/")
            await self._check(request, request.query[TOKEN])
            raise self._welcome(request, web.HTTPSeeOther("/"))
        if owner is not None:
            self._connections.admit(request.transport)
            return await handler(request)
        if self._secret.kind == "token":
            self._refused("without the token")
            raise web.HTTPUnauthorized(text=CLOSED, content_type="text/html")
        await self._check(request, _password(request.headers.get("Authorization")))
        self._connections.admit(request.transport)
        response = await handler(request)
        return self._welcome(request, response) if request.path == "/" else response

    async def _check(self, request: web.Request, given: str | None) -> None:
        """Raises unless *given* is the secret. Nobody can guess a token, so a right one is never refused for what
        others guessed; a password is looked at only so often."""
        if given is None:
            self._refused("without the password")
            raise self._unauthorized()
        if self._secret.kind == "password" and self._guesses.too_many(request.remote):
            self._refused("guesses too many, unread")
            raise web.HTTPTooManyRequests(text="Too many wrong guesses. Wait a minute.", headers={"Retry-After": "60"})
        if self._secret.opens(given):
            return
        self._refused(f"with a wrong {self._secret.kind}")
        await self._guesses.wrong(request.remote)
        raise self._unauthorized()

    def _unauthorized(self) -> web.HTTPException:
        if self._secret.kind == "token":
            return web.HTTPUnauthorized(text=CLOSED, content_type="text/html")
        return web.HTTPUnauthorized(text="This desk needs a password.", headers={"WWW-Authenticate": REALM})

    def _welcome(self, request: web.Request, answer: Answer) -> Answer:
        """Give the browser a cookie that stands for the secret; no script can read it, and no other site use it."""
        answer.set_cookie(
            self.cookie, self._logins.new(), httponly=True, samesite="Strict", secure=is_secure(request), path="/"
        )
        return answer

    def _is_meant(self, request: web.Request) -> bool:
        """Whether the request came from this desk's own page, by the host it names and where it says it comes from."""
        origin = request.headers.get("Origin")
        try:
            named = urlsplit(f"//{request.host}")
            host, _ = named.hostname or "", named.port  # which raises as well where it is none
            own = origin is None or urlsplit(origin).netloc == request.host
        except ValueError:
            return False
        return own and _names_host(request) and (is_loopback(host) or not is_loopback(self._host))


def _names_host(request: web.Request) -> bool:
    """Whether the host a request names is one that may stand in a header of the answer."""
    return all(sign.isalnum() or sign in "-.:[]_" for sign in request.host)


def _password(header: str | None) -> str | None:
    """The password in an ``Authorization`` header, whatever the user's name; None without one, empty if it can't be
    read."""
    if header is None:
        return None
    kind, _, coded = header.partition(" ")
    try:
        _, _, given = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return given if kind.casefold() == "basic" else ""
