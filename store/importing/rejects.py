"""The list of an import's rejected rows: written as they come, readable by the desk's owner alone."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any, TextIO

from store.importing.rows import Unreadable
from store.writing import create, free_name

FIRST = 20  # of so many rows the reasons are handed back


class Rejects:
    """One JSON object a line: the line, the reason, and the row (or the text, where it is no JSON)."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._file: TextIO | None = None
        self.path: Path | None = None
        self.count = 0
        self.first: list[tuple[int, str]] = []

    def add(self, line: int, reason: str, row: Any) -> None:
        """List a row. The file is made for the first one."""
        self.count += 1
        if len(self.first) < FIRST:
            self.first.append((line, reason))
        if self._file is None:
            self._file = self._make()
        entry: dict[str, Any] = {"line": line, "reason": reason}
        entry |= {"text": row.raw} if isinstance(row, Unreadable) else {"row": row}
        try:
            text = json.dumps(entry)
        except RecursionError:
            text = json.dumps({"line": line, "reason": reason})
        self._file.write(text + "\n")

    def close(self, keep: bool) -> None:
        """Finish the file; *keep* False: nothing was imported for another reason, take it away again."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if not keep and self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None

    def _make(self) -> TextIO:
        stem = "".join(character if character.isalnum() or character in "-_" else "_" for character in self._name)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        while True:
            self.path = free_name(self._folder, f"{stem[:40] or 'file'}-rejected-{stamp}", ".jsonl")
            with contextlib.suppress(FileExistsError):  # another import took the name just now
                return os.fdopen(create(self.path), "w", encoding="utf-8")
