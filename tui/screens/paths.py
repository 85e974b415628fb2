"""Paths that somebody types."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from textual.suggester import Suggester

LOOKED_AT = 2000  # entries of a folder that are searched for a completion


class PathSuggester(Suggester):
    """Completes the path that is being typed; the right arrow takes the suggestion."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first entry that begins as *value* does."""
        return completed(value)


def completed(value: str) -> str | None:
    """*value* up to the end of the first entry that begins like it; None if there is none."""
    slash = value.rfind("/") + 1
    start = value[slash:]
    if not start:
        return None
    try:
        with os.scandir(typed_path(value[:slash] or ".")) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, LOOKED_AT))
    except (OSError, ValueError):
        return None
    matches = (name + "/" * is_dir for name, is_dir in found if name.startswith(start))
    return next((value[:slash] + match for match in matches), None)


def typed_path(given: str) -> Path:
    """The path that somebody typed; a ``~`` of nobody stays as it is."""
    path = Path(given.strip())
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def is_file(path: Path) -> bool:
    """Whether there is a file for this user. What can't be looked at, or be a path at all, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
