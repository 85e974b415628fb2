"""The app in a terminal: what textual does there, and what deskloop needs besides.

Pastes without brackets are pastes, a terminal that is gone ends the app, and so does a signal, in order."""

from __future__ import annotations

import contextlib
import io
import os
import select
import selectors
import sys
import termios
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

from tui.terminal.typed import TypedParser, is_pasted

if TYPE_CHECKING:
    from tui.terminal.ending import Ending

AT_ONCE = 64 * 1024  # bytes read at once; a terminal hands over 4096
REST_SECONDS = 0.02  # how long the rest of a paste may take to come, piece by piece
LONGEST_PASTE = 4 * 2**20  # bytes of one that are waited for
# Pastes, line wrap, mouse, keyboard, focus, screen and cursor as they were.
GIVEN_BACK = b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1004l\x1b[?1049l\x1b[?25h"
LOOK_EVERY = 0.1  # seconds between two looks at whether the app is being left


class _Drawing(io.TextIOWrapper):
    """A terminal to draw on. One that is gone takes nothing, and whoever draws on it does not wait for it."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().flush()


class TerminalDriver(LinuxDriver):
    """Draws on standard output and reads keys from standard input, as long as there is a terminal behind them."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        # Textual draws on standard error. An operator may send that elsewhere, and a terminal of any locale is drawn
        # on as it draws itself: in UTF-8.
        out = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
        self._file = self._drawing = _Drawing(os.fdopen(os.dup(out), "wb"), encoding="utf-8", errors="replace")

    @property
    def _ending(self) -> Ending:
        ending: Ending = self._app.ending  # type: ignore[attr-defined]
        return ending

    def start_application_mode(self) -> None:
        """From now on the terminal is drawn on; whatever ends the app gives it back first."""
        self._ending.watch()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def write(self, data: str) -> None:
        """Draw. Before the terminal is taken nothing is drawn: an error that early is told after the app was left."""
        if self._writer_thread is not None:
            super().write(data)

    def give_back(self) -> None:
        """Put the terminal back by the shortest way, for an app that can't be left in order."""
        with contextlib.suppress(OSError, ValueError, termios.error):
            if select.select([], [self._drawing.fileno()], [], 0)[1]:
                os.write(self._drawing.fileno(), GIVEN_BACK)
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    def run_input_thread(self) -> None:
        """Read keys until the app is left. The end of the input means that the terminal is gone."""
        parser = TypedParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(LOOK_EVERY):
                    if not (data := self._read(selector)):
                        with contextlib.suppress(RuntimeError):  # the app has just been left
                            self._loop.call_soon_threadsafe(self._ending.terminal_gone)
                        return
                    for event in parser.feed(text) if (text := decode(data)) else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self, selector: selectors.BaseSelector) -> bytes:
        """What was typed; of a paste, which may come in pieces, all of it. Empty at the end."""
        data = self._piece()
        while (
            len(data) < LONGEST_PASTE and is_pasted(data.decode("utf-8", "replace")) and selector.select(REST_SECONDS)
        ):
            if not (more := self._piece()):
                break
            data += more
        return data

    def _piece(self) -> bytes:
        try:
            return os.read(self.fileno, AT_ONCE)
        except OSError:
            return b""  # hung up
