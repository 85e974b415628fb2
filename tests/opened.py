"""What tests ask of a desk that is open: its engine started, and the store behind it by a connection of their own."""

from __future__ import annotations

from weakref import WeakKeyDictionary, finalize

from store.desk import Desk
from tui.core import EngineState, OpenDesk

_stores: WeakKeyDictionary[OpenDesk, Desk] = WeakKeyDictionary()


def store_of(opened: OpenDesk) -> Desk:
    """The store of *opened*, by a connection of the test's own: to the desk it is another process."""
    if opened not in _stores:
        store = _stores[opened] = Desk.open(opened.home)
        finalize(opened, store.close)
    return _stores[opened]


async def engine_of(opened: OpenDesk) -> EngineState:
    """Start its engine, and say how it is."""
    await opened.engine.start()
    return opened.engine.state
