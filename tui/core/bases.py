"""The base of a desk: got, looked at, and named."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bot.bases.base import content_digest
from bot.engines import EngineFactory
from store.desk import Desk
from store.errors import OperatorError
from tui.core.base import base_spec
from tui.core.setup import Prepared, set_up


class BaseDesk:
    """The base of a desk, for one operator. ``factory`` makes the engine in which a new one proves itself."""

    def __init__(self, store: Desk, factory: EngineFactory, who: str) -> None:
        self._store, self._factory, self._who = store, factory, who

    async def set_up(self, base: str | None, say: Callable[[str], None]) -> Prepared:
        """See :func:`tui.core.setup.set_up`."""
        return await set_up(self._store, base, self._who, say, self._factory)

    async def note_meaning(self) -> None:
        """Write down what the base's name means, where that was never done: on desks of earlier deskloops, and for
        names that were set without a set-up. The engine has just loaded it."""
        with suppress(OperatorError, OSError, sqlite3.Error):
            name = self._store.settings.load().base
            if self._store.bases.get(name) is None:
                folder = Path(base_spec(self._store).folder)
                digest = await asyncio.to_thread(content_digest, folder)
                self._store.bases.decide(name, folder, digest, None, self._who)
