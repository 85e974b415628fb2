"""Which app a browser gets: its own again, if there is one without a browser, else a new one while there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from store.home import Home
from tui.web.session import Link, Session, WindowSize

MOST = 4  # each is an app with an engine, and so a base in memory, of its own
KEPT_SECONDS = 300.0  # an app whose connection was lost waits so long for the next one


class NoRoom(Exception):
    """Everyone who may be here is here."""

    sentence = "No more windows fit on this desk. Close it in another tab or browser first."


class Sessions:
    """All apps, by the browser they belong to and the tab's own name. *make* starts nothing by itself."""

    def __init__(self, home: Home, make: Callable[..., Session] = Session) -> None:
        self._home, self._make = home, make
        self._named: dict[Session, str] = {}
        self._waiting: dict[Session, asyncio.TimerHandle] = {}  # in the order in which they were lost
        self._leaving: set[Session] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._named)

    @property
    def kept(self) -> int:
        """How many wait for their browser."""
        return len(self._waiting)

    async def enter(self, owner: str | None, name: str, link: Link, size: WindowSize) -> Session:
        """The app that *link* sees from now on. *owner*: the browser (None: one that can't come again). Raises
        :class:`NoRoom`, and :class:`OSError` if no process can be started."""
        session = self._of(owner, name)
        if session is None:
            if not self.has_room(owner, name):
                raise NoRoom
            session = self._make(self._home, owner, self._gone)
            self._named[session] = name
            try:
                await session.start(size)
            except BaseException:
                self._gone(session)
                raise
        self._named[session] = name
        self._keep_no_longer(session)
        await session.take_up(link, size)
        return session

    def has_room(self, owner: str | None, name: str) -> bool:
        """Whether :meth:`enter` would find an app or room for one."""
        return not self._closed and (self._of(owner, name) is not None or len(self._named) < MOST)

    def _of(self, owner: str | None, name: str) -> Session | None:
        """The app of this tab, else the one that this browser lost last: a tab closed by mistake, say."""
        if owner is None:
            return None
        own = [each for each in self._named if each.owner == owner and each not in self._leaving]
        lost = [session for session in self._waiting if session.owner == owner]
        return next((session for session in own if self._named[session] == name), lost[-1] if lost else None)

    def leave(self, session: Session, link: Link) -> None:
        """The connection is gone: the app waits for the next one, and is told to leave when none comes."""
        if not session.lose(link) or session not in self._named or session in self._waiting:
            return
        if session.owner is None:
            self._stop(session)
        else:
            loop = asyncio.get_running_loop()
            self._waiting[session] = loop.call_later(KEPT_SECONDS, self._stop, session)

    def _keep_no_longer(self, session: Session) -> None:
        if (timer := self._waiting.pop(session, None)) is not None:
            timer.cancel()

    def _stop(self, session: Session) -> None:
        self._keep_no_longer(session)
        self._leaving.add(session)
        self._stopping.add(task := asyncio.create_task(session.stop(), name="stop-session"))
        task.add_done_callback(self._stopping.discard)

    def _gone(self, session: Session) -> None:
        self._keep_no_longer(session)
        self._named.pop(session, None)
        self._leaving.discard(session)

    async def close(self) -> None:
        """Have every app leave; returns when they have."""
        self._closed = True
        for session in list(self._named):
            self._stop(session)
        await asyncio.gather(*self._stopping, return_exceptions=True)
