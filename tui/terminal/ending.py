"""How the app ends when not its operator ends it: by a signal, with its terminal, with what started it.

What is being written is kept, the terminal is given back as it was, the engine ends, and a run of this app stops with a
checkpoint to go on from. All that within seconds, for a system that is going down waits no longer."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

from bot import leash
from tui.core.exit_codes import SIGNALLED

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)  # Ctrl-C is a key in the app; the signal comes from elsewhere
SECONDS = 5.0  # how long leaving in order may take


class Ending:
    """Ends an app, once: by *leave*, which gets the exit code, and if that takes too long by force, after
    *give_back* has put the terminal as it was."""

    def __init__(self, leave: Callable[[int], None], give_back: Callable[[], None]) -> None:
        self._leave, self._give_back = leave, give_back
        self._begun = False

    def watch(self) -> None:
        """From now on, in the running event loop. Signals that whoever started the app ignores stay ignored."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    loop.add_signal_handler(number, self.end, SIGNALLED + number)
        leash.farewell(lambda: loop.call_soon_threadsafe(self.end, leash.GONE), SECONDS)

    def terminal_gone(self) -> None:
        """Nobody can see the app any more."""
        self.end(SIGNALLED + signal.SIGHUP)

    def end(self, code: int) -> None:
        """Leave with the exit code *code*."""
        if self._begun:
            return
        self._begun = True
        last = threading.Timer(SECONDS, self._cut, [code])  # whatever keeps it, by then nothing is lost by it
        last.daemon = True
        last.start()
        self._leave(code)

    def _cut(self, code: int) -> None:
        self._give_back()
        os._exit(code)
