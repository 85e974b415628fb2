"""The app in a browser: the door before it, and what comes through it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner

from store.desk import Desk
from store.home import HOME_VARIABLE, Home
from tests.tui import scenes
from tui.cli.root import cli
from tui.web import DeskServer

PASSWORD = "correct horse: battery"
Client = TestClient[Any, Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A desk without a model, whose app needs no engine; the server's change to the environment is undone."""
    monkeypatch.setenv(HOME_VARIABLE, "to be replaced")
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("tui.web.WRONG_PASSWORD_SECONDS", 0.0)
    with Desk.open(tmp_path / "garden") as desk:
        return desk.home


async def client(server: DeskServer) -> Client:
    """A client of *server*, at a free port."""
    made: Client = TestClient(TestServer(await server.make_app()))
    await made.start_server()
    return made


@pytest.fixture
async def visitor(home: Home) -> AsyncIterator[Client]:
    """A visitor of a server with a password."""
    server = DeskServer(home, "127.0.0.1", 0, PASSWORD)

    async def empty() -> bool:
        return server.sessions == 0

    made = await client(server)
    yield made
    await holds(empty)  # their apps have ended
    await made.close()


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x", "/nothing"])
@pytest.mark.parametrize(
    "header", [None, "Basic", "Basic !!!", "Basic 6QM=", "Bearer x", aiohttp.encode_basic_auth("", "wrong")]
)
async def test_nothing_is_served_without_the_password(visitor: Client, path: str, header: str | None) -> None:
    answer = await visitor.get(path, headers={"Authorization": header} if header else {})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "Set-Cookie" not in answer.headers


async def test_the_password_opens_the_page_and_the_web_socket(visitor: Client) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth("ann", PASSWORD)}
    page = await visitor.get("/", headers=headers)
    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert f"ws://{visitor.host}:{visitor.port}/ws" in await page.text()
    visitor.session.cookie_jar.clear()
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await visitor.ws_connect("/ws")
    async with visitor.ws_connect("/ws?width=90&height=30", headers=headers) as link:
        assert "deskloop" in await until(link, "Welcome to deskloop")


async def until(link: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What the app draws until *text* is drawn."""
    drawn = ""
    async with asyncio.timeout(60):
        while text not in drawn:
            message = await link.receive()
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
            if message.type == aiohttp.WSMsgType.BINARY:
                drawn += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", message.data.decode("utf-8", "replace"))
    return drawn


async def test_other_web_sites_cannot_speak_to_the_desk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = await client(DeskServer(home, "127.0.0.1", 0))
    assert (await visitor.get("/")).status == 200
    assert (await visitor.get("/", headers={"Host": "evil.example"})).status == 403
    for origin in ("https://evil.example", "null", "http://[", f"http://127.0.0.1:{visitor.port + 1}"):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await visitor.ws_connect("/ws", headers={"Origin": origin})
    monkeypatch.setattr("tui.web.MAX_SESSIONS", 0)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await visitor.ws_connect("/ws")
    await visitor.close()


async def test_behind_a_proxy_with_tls_the_page_opens_a_secure_web_socket(visitor: Client) -> None:
    headers = {
        "Authorization": aiohttp.encode_basic_auth("", PASSWORD), "Host": "desk.example", "X-Forwarded-Proto": "https",
    }  # fmt: skip
    server = DeskServer(Home.open(), "0.0.0.0", 0, PASSWORD)
    made = await client(server)
    page = await made.get("/", headers=headers)
    assert "wss://desk.example/ws" in await page.text()
    assert "connect-src 'self' wss://desk.example" in page.headers["Content-Security-Policy"]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):  # the password alone is not enough
        await made.ws_connect("/ws", headers=headers | {"Origin": "https://evil.example"})
    await made.close()


@pytest.mark.parametrize(
    ("host", "password", "why"),
    [("0.0.0.0", None, "not served without a password"), ("192.0.2.1", None, "not served without a password"),
     ("::", None, "not served without a password"), ("my.host", None, "not served without a password"),
     ("127.0.0.1", "short", "shorter than 8"), ("192.0.2.1", PASSWORD, "can't be used")],
)  # fmt: skip
def test_what_is_not_served(
    home: Home, host: str, password: str | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if password is None:
        monkeypatch.delenv("DESKLOOP_PASSWORD", raising=False)
    else:
        monkeypatch.setenv("DESKLOOP_PASSWORD", password)
    result = CliRunner().invoke(cli, ["serve", "--host", host, "--port", "0", "--home", str(home.root)])
    assert result.exit_code == 1
    assert why in result.stderr
    assert "DESKLOOP_PASSWORD" not in os.environ


# -- in a real browser -----------------------------------------------------------------------------
@pytest.fixture
def served(home: Home) -> Iterator[str]:
    """`deskloop serve` as a process; its address."""
    command = [sys.executable, "-c", "from tui.cli import main; main()", "serve", "--port", "0", "--home", home.root]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process.stderr.readline().split()[0]
        process.terminate()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[str]:
    """A headless Chromium; the address of its DevTools."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed here: `apt-get install chromium`")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,800",
               "--remote-debugging-port=0", f"--user-data-dir={tmp_path / 'profile'}", "about:blank"]  # fmt: skip
    with subprocess.Popen([program, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = next(line.split()[-1] for line in process.stderr if "DevTools listening on" in line)
        yield re.sub(r"^ws://([^/]+)/.*$", r"http://\1", address)
        process.terminate()


class Page:
    """A page of the browser, by the DevTools protocol."""

    def __init__(self, link: aiohttp.ClientWebSocketResponse) -> None:
        self._link, self._last = link, 0

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command; returns its result."""
        self._last += 1
        await self._link.send_json({"id": self._last, "method": method, "params": params})
        while (answer := json.loads((await self._link.receive()).data)).get("id") != self._last:
            pass
        return dict(answer["result"])

    async def value(self, script: str) -> Any:
        """The value of an expression in the page."""
        return (await self.do("Runtime.evaluate", expression=script))["result"].get("value")

    async def click(self, x: int, y: int) -> None:
        """Click there."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def press(self, key: str, code: int) -> None:
        """Press a key that writes nothing."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


@pytest.mark.timeout(120)
async def test_keys_pressed_in_chromium_reach_the_desk(home: Home, served: str, browser: str) -> None:
    with Desk.open(home) as desk:
        [reply] = scenes.said(desk, "Pots", ("Do they stand frost?", "Yes.", "base", "complete"))

        async def approved() -> bool:
            await page.press("Escape", 27)  # the app asks for a model first
            await page.press("F3", 114)
            kept = desk.conversations.turn(reply).reply
            return kept is not None and kept.approved

        async with aiohttp.ClientSession() as session:
            pages = await (await session.get(f"{browser}/json/list")).json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with session.ws_connect(address, max_msg_size=2**26) as link:
                page = Page(link)
                await page.do("Page.navigate", url=served)
                await holds(lambda: page.value("document.body.classList.contains('-first-byte')"))
                await page.click(20, 400)
                await holds(approved)


async def holds(condition: Callable[[], Awaitable[Any]]) -> None:
    """Wait for *condition*."""
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("never came true")
