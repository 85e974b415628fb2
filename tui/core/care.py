"""Looking after a whole desk: its health, and its backup. What that needs is loaded when it is asked for, so that the
app opens without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from store.desk import Desk
from tui.core.beside import Beside

if TYPE_CHECKING:
    from tui.core.backup import BackupDone
    from tui.core.doctor import Check


class HealthDesk:
    """What is wrong with a desk."""

    def __init__(self, store: Desk) -> None:
        self._store = store

    def examine(self) -> Iterator[Check]:
        """See :func:`tui.core.doctor.examine`."""
        from tui.core.doctor import examine

        return examine(self._store)


class BackupDesk:
    """The whole desk as one file, written beside the event loop."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside

    async def write(self, file: Path, *, force: bool = False, stdout: BinaryIO | None = None) -> BackupDone:
        """See :func:`tui.core.backup.back_up`."""
        from tui.core.backup import back_up

        return await self._beside.work(lambda store: back_up(store, file, force=force, stdout=stdout))
