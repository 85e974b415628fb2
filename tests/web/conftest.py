"""A desk that is served: in this process to test the door, and as a process for everything else."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from aiohttp.test_utils import TestClient, TestServer

from store.desk import Desk
from store.home import Home
from tui.web.secret import Secret
from tui.web.server import DeskServer

TOKEN = "a-token-of-the-tests-own"
PASSWORD = "correct horse: battery"
Client = TestClient[Any, Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A desk without a model, whose app needs no engine."""
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("tui.web.guesses.WRONG_SECONDS", 0.0)
    with Desk.open(tmp_path / "garden") as desk:
        return desk.home


def with_token(home: Home) -> DeskServer:
    """A server that a link opens."""
    return DeskServer(home, "127.0.0.1", 0, Secret.of("token", TOKEN))


def with_password(home: Home, host: str = "127.0.0.1") -> DeskServer:
    """A server that a password opens."""
    return DeskServer(home, host, 0, Secret.of("password", PASSWORD))


async def client(server: DeskServer) -> Client:
    """A client of *server*, at a free port, with a browser's cookies."""
    made: Client = TestClient(TestServer(server.make_app()), cookie_jar=aiohttp.CookieJar(unsafe=True))
    await made.start_server()
    return made


@pytest.fixture
async def stranger(home: Home) -> AsyncIterator[Client]:
    """Somebody at the door of a desk that a link opens."""
    made = await client(with_token(home))
    yield made
    await made.close()


@contextmanager
def serving(home: Home, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`deskloop serve` as a process, and the link it prints."""
    command = [sys.executable, "-c", "from tui.cli import main; main()", "serve", "--port", "0", "--home", home.root]
    surroundings = {**os.environ, **environment}
    with subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True, env=surroundings) as process:
        assert process.stderr is not None
        try:
            yield process, process.stderr.readline().split()[0]
        finally:
            process.terminate()


@pytest.fixture
def served(home: Home) -> Iterator[str]:
    """The link of a desk that is served."""
    with serving(home) as (_, link):
        yield link


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """What keeps cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def until(link: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What the app draws until *text* is drawn."""
    drawn = ""
    try:
        async with asyncio.timeout(60):
            while text not in drawn:
                message = await link.receive()
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                if message.type == aiohttp.WSMsgType.BINARY:
                    drawn += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", message.data.decode("utf-8", "replace"))
    except TimeoutError:
        raise AssertionError(f"{text} was never drawn, but {drawn[-3000:]!r}") from None
    return drawn


async def holds(condition: Callable[[], Awaitable[Any]] | Callable[[], object]) -> None:
    """Wait for *condition*."""
    for _ in range(600):
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("never came true")


def below(process: int) -> dict[int, str]:
    """Every process under *process*, with its command."""
    found = {}
    for child in psutil.Process(process).children(recursive=True):
        try:
            found[child.pid] = " ".join(child.cmdline())
        except psutil.Error:
            continue
    return found


def alive(pid: int) -> bool:
    """Whether the process runs still."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
