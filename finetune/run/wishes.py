"""What is wanted of a run while it works: by the app that started it, or by an operator in any app of the desk."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from store.desk import Desk
from store.errors import DeskError
from store.words import RunWish

LOOK_EVERY = 0.5  # seconds between two looks into the store


class Wishes:
    """The first wish counts. ``wish``: None is to go on; ``who`` said so: None is nobody, the app is gone."""

    def __init__(self) -> None:
        self.wish: RunWish | None = None
        self.who: str | None = None
        self.made = asyncio.Event()

    def make(self, wish: RunWish, who: str | None = None) -> None:
        """Want the run to end; nothing changes if somebody wanted that before."""
        if self.wish is None:
            self.wish, self.who = wish, who
            self.made.set()

    async def watch(self, desk: Desk, run_id: int) -> None:
        """Look into the store for what operators want, for as long as nobody wants anything."""
        while not self.made.is_set():
            with suppress(DeskError):  # who writes next says what is wrong with the desk
                if (wished := desk.runs.wished(run_id)) is not None:
                    self.make(wished.wish, wished.who)
            await asyncio.sleep(LOOK_EVERY)
