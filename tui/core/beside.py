"""Work on the store beside the event loop: what takes long must not make the typing stutter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, TypeVar

from store.desk import Desk
from store.home import Home

Found = TypeVar("Found")
STOP_EVERY = 0.02  # seconds between two attempts to end a statement that began as its work was stopped
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
        self._stoppers: list[Thread] = []
        self._closed = False

    async def read(self, question: Callable[[Desk], Found]) -> Found:
        """The answer to *question*, which must change nothing. One question at a time, in the order they came."""
        piece = _Piece(lambda store: store.db.interrupt())

        def answer() -> Found:
            if self._reading is None:
                self._reading = Desk.open(self._home)
            with piece.on(self._reading):
                return question(self._reading)

        return await self._done(self._reader, answer, piece.stop)

    async def work(self, work: Callable[[Desk], Found]) -> Found:
        """What comes of *work*, which may write."""
        piece = _Piece(lambda store: store.db.halt())

        def do() -> Found:
            with Desk.open(self._home) as store, piece.on(store):
                return work(store)

        return await self._done(self._workers, do, piece.stop)

    async def _done(
        self, pool: ThreadPoolExecutor, act: Callable[[], Found], stop: Callable[[], list[Thread]]
    ) -> Found:
        if self._closed:  # the asker is being left, too
            raise asyncio.CancelledError
        going = asyncio.get_running_loop().run_in_executor(pool, act)
        self._going.add(going)
        going.add_done_callback(self._going.discard)
        try:
            return await going
        except asyncio.CancelledError:
            self._stoppers = [thread for thread in [*self._stoppers, *stop()] if thread.is_alive()]
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
        for stopper in self._stoppers:
            stopper.join()

    def _leave(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


class _Piece:
    """One piece of work, and the connection it uses meanwhile. *halt*: how that is stopped from another thread."""

    def __init__(self, halt: Callable[[Desk], None]) -> None:
        self._halt = halt
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

    def stop(self) -> list[Thread]:
        """End it: now, and in the thread that is returned again and again until it has ended, since a statement that
        was just about to begin is not met."""
        if not self._stop_once():
            return []
        stopper = Thread(target=self._stop_to_the_end, name="desk-stopper", daemon=True)
        stopper.start()
        return [stopper]

    def _stop_once(self) -> bool:
        """Stop the connection that is used now; returns whether there is one."""
        with self._lock:
            self._stopped = True
            if self._store is None:
                return False
            self._halt(self._store)
            return True

    def _stop_to_the_end(self) -> None:
        while self._stop_once():
            time.sleep(STOP_EVERY)
