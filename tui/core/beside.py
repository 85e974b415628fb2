"""Work on the store beside the event loop: what takes long must not make the typing stutter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

from store.desk import Desk
from store.home import Home

Found = TypeVar("Found")
LANES = 4  # pieces of work at a time that write; SQLite lets one of them write anyway


class Beside:
    """Threads with connections of their own.

    A caller that is cancelled stops its work at the statement of the moment; nothing of an unfinished transaction
    stays. :meth:`close` does the same with all work and waits until the threads are idle. An error of the work is its
    caller's."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk-reader")
        self._workers = ThreadPoolExecutor(max_workers=LANES, thread_name_prefix="desk-worker")
        self._reading: Desk | None = None  # the connection that every question shares
        self._going: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def read(self, question: Callable[[Desk], Found]) -> Found:
        """The answer to *question*, which must change nothing. One question at a time, in the order they came."""
        piece = _Piece()

        def answer() -> Found:
            if self._reading is None:
                self._reading = Desk.open(self._home)
            with piece.on(self._reading):
                return question(self._reading)

        return await self._done(self._reader, answer, piece.interrupt)

    async def work(self, work: Callable[[Desk], Found]) -> Found:
        """What comes of *work*, which may write."""
        piece = _Piece()

        def do() -> Found:
            with Desk.open(self._home) as store, piece.on(store):
                return work(store)

        return await self._done(self._workers, do, piece.stop)

    async def _done(self, pool: ThreadPoolExecutor, act: Callable[[], Found], stop: Callable[[], None]) -> Found:
        if self._closed:  # the asker is being left, too
            raise asyncio.CancelledError
        going = asyncio.get_running_loop().run_in_executor(pool, act)
        self._going.add(going)
        going.add_done_callback(self._going.discard)
        try:
            return await going
        except asyncio.CancelledError:
            stop()
            raise

    async def close(self) -> None:
        """Stop what is going on, wait for its end, and close the connections. More than once does no harm."""
        if self._closed:
            return
        self._closed = True
        for going in list(self._going):
            going.cancel()
        await asyncio.sleep(0)  # whoever waits for it stops it now
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._reader.submit(self._leave)
        for pool in (self._reader, self._workers):
            pool.shutdown(wait=True)

    def _leave(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


class _Piece:
    """One piece of work, and the connection it uses meanwhile."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._store: Desk | None = None
        self._stopped = False

    @contextmanager
    def on(self, store: Desk) -> Iterator[None]:
        """While the work uses *store*."""
        with self._lock:
            if self._stopped:
                raise asyncio.CancelledError
            self._store = store
        try:
            yield
        finally:
            with self._lock:  # from here on the connection is another's
                self._store = None

    def interrupt(self) -> None:
        """End the statement of the moment with an error."""
        with self._lock:
            self._stopped = True
            if self._store is not None:
                self._store.db.conn.interrupt()

    def stop(self) -> None:
        """End the statement of the moment with an error, and every later one."""
        with self._lock:
            self._stopped = True
            if self._store is not None:
                self._store.db.conn.set_progress_handler(lambda: 1, 1)
                self._store.db.conn.interrupt()
