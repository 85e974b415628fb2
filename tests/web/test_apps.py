"""The apps under a server: real processes, real web sockets."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import aiohttp
import psutil
import pytest

from store.desk import Desk
from store.home import Home
from tests.web.conftest import PASSWORD, alive, below, holds, serving, until
from tui.web.messages import LARGEST

pytestmark = pytest.mark.timeout(240)


def visitors(server: int) -> list[int]:
    """The apps under the server."""
    return [pid for pid, command in below(server).items() if "tui.web.visitor" in command]


async def entered(browser: aiohttp.ClientSession, link: str) -> str:
    """Follow the link; returns the address of the web socket."""
    assert (await browser.get(link)).status == 200
    return link.partition("?")[0].replace("http", "ws", 1) + "ws/ab12"


async def test_a_lost_connection_is_taken_up_again_with_all_of_the_picture(
    home: Home, browser: aiohttp.ClientSession
) -> None:
    with serving(home) as (server, link):
        address = await entered(browser, link)
        async with browser.ws_connect(f"{address}?width=90&height=30") as socket:
            await until(socket, "Welcome to deskloop")
            [app] = visitors(server.pid)
            socket._response.connection.transport.abort()  # type: ignore[union-attr]  # as a network does
        async with browser.ws_connect(f"{address}?width=110&height=32") as socket:
            await until(socket, "Welcome to deskloop")
            assert visitors(server.pid) == [app]
            async with browser.ws_connect(address) as second:
                await until(second, "Welcome to deskloop")
                async for _ in socket:
                    pass
                assert socket.close_code == 4001
                assert visitors(server.pid) == [app]
                await second.send_json(["stdin", "\x1b"])  # leave the dialog
                await second.send_json(["stdin", "\x11"])  # and the app
                async for _ in second:
                    pass
                assert second.close_code == 4000
        await holds(lambda: not alive(app))


async def test_an_app_that_dies_says_so_and_the_next_one_is_new(home: Home, browser: aiohttp.ClientSession) -> None:
    with serving(home) as (server, link):
        address = await entered(browser, link)
        async with browser.ws_connect(address) as socket:
            await until(socket, "Welcome to deskloop")
            [app] = visitors(server.pid)
            os.kill(app, signal.SIGKILL)
            async for _ in socket:
                pass
            assert socket.close_code == 4002
        async with browser.ws_connect(address) as socket:
            await until(socket, "Welcome to deskloop")
            assert visitors(server.pid) != [app]


async def test_the_password_alone_opens_an_app_that_nobody_keeps(home: Home, browser: aiohttp.ClientSession) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth("ann", PASSWORD)}
    with serving(home, DESKLOOP_PASSWORD=PASSWORD) as (server, link):
        assert "token" not in link
        async with browser.ws_connect(link.replace("http", "ws", 1) + "/ws", headers=headers) as socket:
            await until(socket, "Welcome to deskloop")
        await holds(lambda: not visitors(server.pid))


async def test_hostile_messages_cost_little_and_stop_nothing(home: Home, browser: aiohttp.ClientSession) -> None:
    with serving(home) as (server, link):
        address = await entered(browser, link)
        async with browser.ws_connect(f"{address}?width=99999999999&height=-1") as socket:
            await until(socket, "Welcome")
            [app] = visitors(server.pid)
            for width in (10**9, 10**4, -1, "x", None, 1e300, True):
                await socket.send_json(["resize", {"width": width, "height": 10**9}])
            for text in ("", "[" * 10_000, '["stdin", "\\ud800"]', json.dumps(["stdin", "\x1b[48;99999;99999;1;1t"])):
                await socket.send_str(text)
            await socket.send_bytes(b"\xff" * 1000)
            await socket.send_json(["resize", {"width": 90, "height": 30}])
            await until(socket, "Welcome to deskloop")
            sizes = [psutil.Process(pid).memory_info().rss for pid in (app, server.pid)]
            assert max(sizes) < 600 * 2**20
            await socket.send_str("x" * (LARGEST + 1))
            async for _ in socket:
                pass
            assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        async with browser.ws_connect(address) as socket:
            await until(socket, "Welcome to deskloop")
            assert visitors(server.pid) == [app]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_when_the_server_ends_its_apps_and_their_engines_end(
    tmp_path: Path, tiny: Path, how: signal.Signals, browser: aiohttp.ClientSession
) -> None:
    home = Home.open(tmp_path / "garden")
    with Desk.open(home) as desk:
        desk.settings.set("base", str(tiny), "ann")
        desk.settings.set("quantization", "fp32", "ann")
        desk.conversations.create("ann")
    with serving(home) as (server, link):
        address = await entered(browser, link)
        async with browser.ws_connect(address) as socket:
            await until(socket, "F1")
            await holds(lambda: [1 for command in below(server.pid).values() if "bot.engines.torch.process" in command])
            under = list(below(server.pid))
            os.kill(server.pid, how)
            await holds(lambda: not [pid for pid in under if alive(pid)])
