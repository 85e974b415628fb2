"""The whole app in a terminal of a test's own."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import Any

PATIENCE = 60.0  # seconds; far more than it takes anywhere
CALL = [sys.executable, "-c", "from tui.cli import main; main()"]


class Terminal:
    """``deskloop`` with *arguments* in a pseudo terminal, in a session of its own. *kind*: what TERM says; *stdin*:
    another standard input than the terminal."""

    def __init__(
        self, *arguments: str, columns: int = 100, lines: int = 30, kind: str | None = "xterm-256color", stdin: int = 0
    ) -> None:
        self.controller, self._terminal = pty.openpty()
        os.set_blocking(self.controller, False)
        termios.tcsetwinsize(self._terminal, (lines, columns))
        self.before = self.modes()
        self.seen = b""
        environment = {name: value for name, value in os.environ.items() if name != "TERM"}
        self.process = subprocess.Popen(
            [*CALL, *arguments], stdin=stdin or self._terminal, stdout=self._terminal, stderr=self._terminal,
            env=environment if kind is None else environment | {"TERM": kind}, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for descriptor in (self.controller, self._terminal):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def modes(self) -> list[Any]:
        """How the terminal handles what is typed."""
        return termios.tcgetattr(self._terminal)

    def type(self, text: str) -> None:
        """Type, all at once."""
        os.write(self.controller, text.encode())

    def read(self, seconds: float) -> bool:
        """Take in what is drawn; False if nothing comes for *seconds*."""
        if not select.select([self.controller], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.seen += os.read(self.controller, 65536)
        return True

    def until(self, word: str) -> None:
        """Wait until *word* is drawn. Cursor movements may stand between letters, so only short words of one colour
        can be waited for."""
        deadline = time.monotonic() + PATIENCE
        while word.encode() not in self.seen:
            self.read(0.5)
            assert self.process.poll() is None, self.seen[-3000:]
            assert time.monotonic() < deadline, self.seen[-3000:]

    def end(self) -> int:
        """Wait until the app has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while (code := self.process.poll()) is None:
            self.read(0.1)
            assert time.monotonic() < deadline, self.seen[-3000:]
        while self.read(0.1):
            pass
        return code

    def hang_up(self) -> None:
        """Close it, as a window that is closed does; nothing tells its processes but the end of their input."""
        os.close(self._terminal)
        os.close(self.controller)
