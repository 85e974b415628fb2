"""`deskloop serve` in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from store.desk import Desk
from store.home import Home
from tests.tui import scenes
from tests.web.conftest import below, holds, serving


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[str]:
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


@pytest.mark.timeout(240)
async def test_keys_pressed_in_chromium_reach_the_desk_and_a_reload_finds_the_app_again(
    home: Home, chromium: str
) -> None:
    with Desk.open(home) as desk, serving(home) as (server, link):
        [reply] = scenes.said(desk, "Pots", ("Do they stand frost?", "Yes.", "base", "complete"))

        async def approved() -> bool:
            await page.press("Escape", 27)  # the app asks for a model first
            await page.press("F3", 114)
            kept = desk.conversations.turn(reply).reply
            return kept is not None and kept.approved

        async def drawn() -> bool:
            shown = "getComputedStyle(document.getElementById('word')).display == 'none'"
            return bool(await page.value(f"document.body?.classList.contains('-first-byte') && {shown}"))

        async with aiohttp.ClientSession() as session:
            pages = await (await session.get(f"{chromium}/json/list")).json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with session.ws_connect(address, max_msg_size=2**26) as connection:
                page = Page(connection)
                await page.do("Page.navigate", url=link)
                await holds(drawn)
                assert await page.value("location.search + document.referrer + document.cookie") == ""
                await page.click(20, 400)
                await holds(approved)
                apps = {pid for pid, command in below(server.pid).items() if "tui.web.visitor" in command}
                assert len(apps) == 1
                await page.do("Page.navigate", url="about:blank")
                await page.do("Page.navigate", url=link.partition("?")[0])
                await holds(drawn)
                assert apps <= set(below(server.pid))
                assert len([1 for command in below(server.pid).values() if "tui.web.visitor" in command]) == 1
                server.kill()
                await holds(lambda: page.value("document.getElementById('word').innerText.includes('was lost')"))
