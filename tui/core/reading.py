"""Reading off the event loop: a search through 200,000 turns must not make the typing stutter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from store.desk import Desk
from store.home import Home

Found = TypeVar("Found")


class DeskReader:
    """One thread with a connection of its own, opened at the first question; one question at a time."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._desk: Desk | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk-reader")

    async def read(self, look: Callable[[Desk], Found]) -> Found:
        """What *look* finds. It is called in the thread and must change nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._look, look)

    def _look(self, look: Callable[[Desk], Found]) -> Found:
        if self._desk is None:
            self._desk = Desk.open(self._home)
        return look(self._desk)

    def close(self) -> None:
        """Wait for the question of the moment, and close the connection."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._desk is not None:
            self._desk.close()
            self._desk = None
