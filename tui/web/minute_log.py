"""What goes wrong at the door, counted, and written once a minute: no attack fills a disk with log lines."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from store.home import private_file
from store.text import clean

EVERY = 60.0  # seconds
MOST_KINDS = 50  # lines a minute
LONGEST = 200  # characters of a kind
LARGEST = 2**20  # bytes; a longer log is moved aside


class MinuteLog(logging.Handler):
    """Counts events by their kind; of an exception it keeps where it happened, once. Nothing that came from outside is
    written: no address, no request, no message of an exception."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.WARNING)
        self._file = file
        self._counts: Counter[str] = Counter()
        self._places: dict[str, str] = {}

    def count(self, kind: str) -> None:
        """It happened once more."""
        kind = clean(kind)[:LONGEST].replace("\n", " ")
        self._counts[kind if kind in self._counts or len(self._counts) < MOST_KINDS else "of other kinds"] += 1

    def emit(self, record: logging.LogRecord) -> None:
        """Count what a library has to say."""
        kind = f"{record.name}: {str(record.msg).partition(chr(10))[0]}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            kind += f" ({type(error).__name__})"
        self.count(kind)
        if error is not None and len(self._places) < MOST_KINDS:
            self._places.setdefault(kind, "".join(traceback.format_tb(error.__traceback__)))

    def write(self) -> None:
        """Write what was counted since the last time; nothing if there was nothing, or the disk takes nothing."""
        if not self._counts:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        counts = ", ".join(f"{count} {kind}" for kind, count in self._counts.most_common())
        text = "\n".join([f"{now} refused or failed: {counts}", *self._places.values()])
        self._counts.clear()
        self._places.clear()
        try:
            if self._file.exists() and self._file.stat().st_size > LARGEST:
                self._file.replace(self._file.with_suffix(".old.log"))
            with private_file(self._file).open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{text}\n")
        except OSError:
            return

    async def keep(self) -> None:
        """Write once a minute, and at the end."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                self.write()
        finally:
            self.write()
