"""One app behind one browser tab. The connection may be lost and come again; the app goes on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from bot.child import child_options, module_command
from store.home import HOME_VARIABLE, Home, private_file
from tui.web.driver import REDRAW

COLUMNS, ROWS = (20, 600), (5, 200)  # the smallest and largest window; each cell costs memory
RESIZE_SECONDS = 0.1  # between two sizes that the app is told
SEND_SECONDS = 20.0  # a browser that takes nothing for so long is gone
LEAVE_SECONDS = 30.0  # the app's time to leave by itself, with a checkpoint of its run
LARGEST_PACKET = 2**26
LARGEST_LOG = 2**20
READY = b"__GANGLION__\n"  # textual's mark: after it there are packets
UNWANTED = ("VISUAL", "EDITOR", "BROWSER", "PAGER", "TEXTUAL", "DESKLOOP_PASSWORD", "DESKLOOP_TOKEN")

ENDED, TAKEN, BROKEN = 4000, 4001, 4002
"""How a connection was closed, for the page: the app was left, another tab took it up, or the app ended by itself. Else
the connection was lost."""
GOING_AWAY, NOT_TAKING = 1001, 1011  # of the standard: the server ends, or the browser takes nothing


class Link(Protocol):
    """A web socket, as far as a session needs one."""

    async def send_bytes(self, data: bytes) -> None:
        """Give the browser what the app draws."""
        ...

    def end(self, code: int) -> None:
        """End it soon, with why."""
        ...


@dataclass(frozen=True, slots=True)
class WindowSize:
    """A window in cells, within bounds."""

    columns: int
    rows: int

    @classmethod
    def of(cls, columns: object, rows: object) -> WindowSize:
        """The nearest size within the bounds. Raises :class:`ValueError` for what is no number of cells."""
        if type(columns) is not int or type(rows) is not int:
            raise ValueError("a window's size is two whole numbers")
        return cls(min(max(columns, COLUMNS[0]), COLUMNS[1]), min(max(rows, ROWS[0]), ROWS[1]))


class Session:
    """An app in a process of its own. *ended* is called when it has gone, however it went."""

    def __init__(self, home: Home, owner: str | None, ended: Callable[[Session], None]) -> None:
        self.owner = owner
        """The browser it belongs to; None: one that can't come again."""
        self._home, self._ended = home, ended
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._size = WindowSize(80, 24)
        self._resizing: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """The app's process id."""
        return None if self._process is None else self._process.pid

    @property
    def linked(self) -> bool:
        """Whether a browser looks at it now."""
        return self._link is not None

    # -- the app's process -------------------------------------------------------------------------
    async def start(self, size: WindowSize) -> None:
        """Start the app. Raises :class:`OSError`."""
        self._size = size
        options = child_options()  # on the server's leash: a server that is killed leaves no app behind
        options["env"] = environment(options["env"], self._home, size)
        with private_file(_short(self._home.logs / "app.log")).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *module_command("tui.web.visitor"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                **options,
            )
        self._reading = asyncio.create_task(self._read(self._process), name="session")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand on what the app draws until it ends."""
        assert process.stdout is not None
        left = False
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
                await process.stdout.readuntil(READY)
                while True:
                    kind, size = await process.stdout.readexactly(1), await process.stdout.readexactly(4)
                    if (length := int.from_bytes(size, "big")) > LARGEST_PACKET:
                        break
                    packet = await process.stdout.readexactly(length)
                    if kind == b"D":
                        await self._draw(packet)
                    elif kind == b"M" and json.loads(packet).get("type") == "exit":
                        left = True
                        break
        finally:
            self._ended(self)  # first of all, so that nobody takes up what is over
            if (link := self._link) is not None:
                self._link = None
                link.end(ENDED if left else BROKEN)
            await _gone(process)

    async def _draw(self, packet: bytes) -> None:
        if (link := self._link) is None:
            return  # nobody looks; whoever comes gets all of it drawn anew
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await link.send_bytes(packet)
        except (OSError, RuntimeError, TimeoutError):
            self.lose(link)
            link.end(NOT_TAKING)

    async def stop(self) -> None:
        """Have the app leave; it writes a checkpoint of its run. Returns when it has gone."""
        if self._reading is None or self._process is None:
            return
        if self._link is not None:
            self._link.end(GOING_AWAY)
            self._link = None
        await self._send_json({"type": "quit"})
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await asyncio.shield(self._reading)
        except TimeoutError:
            _kill(self._process)
            await self._reading

    # -- the browser -------------------------------------------------------------------------------
    async def take_up(self, link: Link, size: WindowSize) -> None:
        """From now on *link* sees the app and types into it; whoever did before is told."""
        before, self._link, self._size = self._link, link, size
        await self._send_json({"type": REDRAW, "width": size.columns, "height": size.rows})
        if before is not None:
            before.end(TAKEN)

    def lose(self, link: Link) -> bool:
        """*link* is gone; whether nobody sees the app now."""
        if self._link not in (None, link):
            return False
        self._link = None
        return True

    async def type_in(self, text: str) -> None:
        """Keys, as a terminal sends them."""
        await self._send(b"D", text.encode("utf-8", "replace"))

    def resize(self, size: WindowSize) -> None:
        """The window has another size; of many in a moment the app is told the last."""
        self._size = size
        if self._resizing is None:
            self._resizing = asyncio.get_running_loop().call_later(RESIZE_SECONDS, self._resized)

    def _resized(self) -> None:
        self._resizing = None
        sending = self._send_json({"type": "resize", "width": self._size.columns, "height": self._size.rows})
        self._tasks.add(task := asyncio.create_task(sending))
        task.add_done_callback(self._tasks.discard)

    async def focus(self, *, has: bool) -> None:
        """The page has the keyboard, or no longer."""
        await self._send_json({"type": "focus" if has else "blur"})

    async def _send_json(self, message: dict[str, object]) -> None:
        await self._send(b"M", json.dumps(message).encode())

    async def _send(self, kind: bytes, data: bytes) -> None:
        """One packet to the app; nothing to one that has gone."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            return
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            process.stdin.write(kind + len(data).to_bytes(4, "big") + data)
            async with asyncio.timeout(SEND_SECONDS):  # an app that hangs takes nothing
                await process.stdin.drain()


def environment(given: Mapping[str, str], home: Home, size: WindowSize) -> dict[str, str]:
    """What an app in a browser knows of its surroundings: no editor, no password, no tracing of textual's."""
    kept = {name: value for name, value in given.items() if not name.startswith(UNWANTED)}
    return kept | {
        HOME_VARIABLE: str(home.root),
        "COLUMNS": str(size.columns),
        "ROWS": str(size.rows),
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM_PROGRAM": "textual",
        "TERM_PROGRAM_VERSION": version("textual-serve"),
    }


def _short(log: Path) -> Path:
    """*log*, its old content moved aside once it is long."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".old.log"))
    return log


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait for the process, and do not wait for ever."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
