"""Paths that somebody types."""

from __future__ import annotations

import os
from itertools import islice

from textual.suggester import Suggester

from tui.core import DeskError
from tui.core.reach import Reach

LOOKED_AT = 2000  # entries of a folder that are searched for a completion


class PathSuggester(Suggester):
    """Completes the path that is being typed; the right arrow takes the suggestion."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._reach = reach

    async def get_suggestion(self, value: str) -> str | None:
        """The first entry that begins as *value* does."""
        return completed(value, self._reach)


def completed(value: str, reach: Reach) -> str | None:
    """*value* up to the end of the first entry that begins like it; None if there is none."""
    slash = value.rfind("/") + 1
    start = value[slash:]
    if not start:
        return None
    try:
        with os.scandir(reach.to_read(value[:slash] or ".")) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in islice(entries, LOOKED_AT))
    except (DeskError, OSError, ValueError):
        return None
    matches = (name + "/" * is_dir for name, is_dir in found if name.startswith(start))
    return next((value[:slash] + match for match in matches), None)


def file_problem(reach: Reach, given: str) -> str | None:
    """Why there is no file to read under the path that was typed; None if there is. What can't be looked at, or be a
    path at all, is none."""
    try:
        path = reach.to_read(given)
        found = path.is_file()
    except DeskError as error:
        return error.sentence
    except (OSError, ValueError):
        found = False
    return None if found else f"There is no file {given.strip()}."
