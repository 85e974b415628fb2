"""Who wants to know what changes at a desk."""

from __future__ import annotations

from collections.abc import Callable

from tui.core.events import DeskChange


class Changes:
    """Hands every change to everybody who listens."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[DeskChange], None]] = []

    def listen(self, listener: Callable[[DeskChange], None]) -> Callable[[], None]:
        """Call *listener* with every :data:`DeskChange` from now on; returns the function that ends it.

        Listeners are called in the event loop's thread and must not block."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, change: DeskChange) -> None:
        """Hand *change* to every listener."""
        for listener in list(self._listeners):
            listener(change)
