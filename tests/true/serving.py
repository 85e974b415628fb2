"""kill -9 of a server with apps under it, of its door while strangers knock, and of set-ups; and hostile requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import aiohttp
import psutil

from tests.true.kills import GONE_SECONDS
from tests.true.outside import COMMAND, Site

PAINT_SECONDS = 60.0  # an app behind a browser draws within this, beside other work


@contextmanager
def served(site: Site) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`deskloop serve` on the site's desk, and its link."""
    command = [*COMMAND, "serve", "--port", "0", "--json", "--home", str(site.home)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=site.environment()
    )
    assert server.stdout is not None
    try:
        yield server, str(json.loads(server.stdout.readline())["url"])
    finally:
        server.kill()
        server.wait()


def _below(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    return []


def _gone(children: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(children, GONE_SECONDS)
    assert alive == [], alive


async def _visit(link: str) -> None:
    """Open the page as a browser does, and wait until the app has drawn something."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(link) as page:
            assert page.status == 200, page.status
        place = urlsplit(link)
        async with browser.ws_connect(f"http://{place.netloc}/ws?width=100&height=30") as tab:
            async with asyncio.timeout(PAINT_SECONDS):
                while "deskloop" not in str((await tab.receive()).data):
                    pass


def server(site: Site) -> None:
    """A server killed with an app and its engine under it: everything below it is gone, and the desk is sound."""
    site.prepare()
    with served(site) as (process, link):
        children: list[psutil.Process] = []

        async def visit() -> None:
            with contextlib.suppress(aiohttp.ClientError):
                await _visit(link)

        visit_seconds = site.chance.uniform(0.0, 12.0)

        async def until_killed() -> None:
            tab = asyncio.create_task(visit())
            deadline = time.monotonic() + visit_seconds
            while time.monotonic() < deadline:
                children.extend(child for child in _below(process.pid) if child not in children)
                await asyncio.sleep(0.05)
            process.kill()
            tab.cancel()
            await asyncio.gather(tab, return_exceptions=True)

        asyncio.run(until_killed())
        _gone(children)
    site.check()


def door(site: Site) -> None:
    """Strangers at the door, with rubbish, half requests and wrong tokens: nobody gets in, an operator does, the
    memory stays, and a server that is killed meanwhile comes back with another token."""
    site.prepare()
    with served(site) as (process, link):
        place = urlsplit(link)
        address = (place.hostname or "127.0.0.1", place.port or 0)
        held = []
        for _ in range(60):
            knock = socket.create_connection(address, timeout=5)
            with contextlib.suppress(OSError):
                knock.sendall(_rubbish(site))
            held.append(knock)
        asyncio.run(_refused(link, site))
        asyncio.run(_visit(link))
        assert psutil.Process(process.pid).memory_info().rss < 400 * 2**20
        for knock in held:
            knock.close()
        children = _below(process.pid)
        process.kill()
        _gone(children)
    with served(site) as (_, again):
        assert urlsplit(again).query != urlsplit(link).query
    site.check()


def _rubbish(site: Site) -> bytes:
    chance = site.chance
    return chance.choice(
        [
            chance.randbytes(3000),
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 60_000,
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(3000)),
            b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET /ws?width=99999999&height=99999999 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /../../../etc/passwd HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"",
        ]
    )


async def _refused(link: str, site: Site) -> None:
    """None of these opens anything."""
    place = urlsplit(link)
    root = f"http://{place.netloc}"
    wrong = [
        f"{root}/",
        f"{root}/?token=",
        f"{root}/?token=wrong",
        f"{root}/ws",
        f"{root}/ws?token=x",
        f"{root}/%2e%2e/",
    ]
    headers = [{}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Authorization": "Basic eDp4"}]
    async with aiohttp.ClientSession() as stranger:
        for _ in range(10):
            url, head = site.chance.choice(wrong), site.chance.choice(headers)
            with contextlib.suppress(aiohttp.ClientError):
                async with stranger.get(url, headers=head, timeout=aiohttp.ClientTimeout(30)) as answer:
                    assert answer.status in (400, 401, 403, 404, 429), (url, head, answer.status)


def setup(site: Site) -> None:
    """A set-up killed at any moment: the base that answered goes on answering, nothing half-made is taken for one."""
    site.prepare()
    before = site.data("ask", "Where is my order?")["text"]
    other = shutil.copytree(site.base, site.root / "other")
    command = [*COMMAND, "setup", "--base", str(other), "--home", str(site.home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=site.environment())
    children: list[psutil.Process] = []
    deadline = time.monotonic() + site.chance.uniform(0.0, 15.0)
    while process.poll() is None and time.monotonic() < deadline:
        children.extend(child for child in _below(process.pid) if child not in children)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.kill()
    process.wait()
    _gone(children)
    assert site.data("ask", "Where is my order?")["text"] == before  # both bases have the same weights
    site.check()


KILLS = {"server": server, "door": door, "setup": setup}
