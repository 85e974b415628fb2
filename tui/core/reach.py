"""Where the paths may lead that an operator types: the one place that makes a path of such a text.

Whoever sits at a terminal of this machine could read and write its files without deskloop. Whoever came through a
browser could not, and gets two folders of the desk: a file written elsewhere, into a folder of login scripts say, would
run as the desk's owner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from store.home import Home
from tui.core.errors import DeskError

_BASE = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)  # a word, or a hub id


class Reach(Protocol):
    """What a path that was typed means here. Every method raises :class:`DeskError` for what is out of reach."""

    own_programs: bool
    """Whether programs of the operator's choice may be started: an editor."""

    def to_read(self, given: str) -> Path:
        """The file or folder that is to be read."""
        ...

    def to_write(self, given: str) -> Path:
        """The file that is to be written."""
        ...

    def proposed(self, name: str) -> Path:
        """Where a file of that name is proposed to be written."""
        ...

    def base(self, given: str) -> str:
        """A base by its name, folder or file."""
        ...


class Anywhere:
    """At a terminal: every path means what it means to the system; a ``~`` of nobody stays as it is."""

    own_programs = True

    def to_read(self, given: str) -> Path:
        """The path as it was typed."""
        path = Path(given.strip())
        try:
            return path.expanduser()
        except RuntimeError:
            return path

    def to_write(self, given: str) -> Path:
        """The path as it was typed."""
        return self.to_read(given)

    def proposed(self, name: str) -> Path:
        """In the operator's own folder."""
        return Path.home() / name

    def base(self, given: str) -> str:
        """Any."""
        return given


class InDesk:
    """In a browser: the folders ``imports`` and ``exports`` of one desk, wherever links lead. A name without either is
    looked for in ``imports``, and written into ``exports``."""

    own_programs = False

    def __init__(self, home: Home) -> None:
        self._home = home

    def to_read(self, given: str) -> Path:
        """A file in one of the two folders."""
        return self._within(given, self._home.imports, "Nothing was read; whoever runs the desk can put a file there.")

    def to_write(self, given: str) -> Path:
        """A file in one of the two folders."""
        return self._within(given, self._home.exports, "Nothing was written. Give a name without a folder.")

    def proposed(self, name: str) -> Path:
        """In ``exports``."""
        return self._home.exports / name

    def base(self, given: str) -> str:
        """The starter or a hub id; no folder or file of this machine."""
        if not _BASE.fullmatch(given.strip()):
            raise DeskError(
                "In a browser, the base is the word starter or a hub id such as ORG/NAME, not a folder or "
                "file. Nothing was changed; whoever runs the desk can use `deskloop setup --base`."
            )
        return given

    def _within(self, given: str, usual: Path, otherwise: str) -> Path:
        folders = self._home.imports, self._home.exports
        text = given.strip()
        first = text.partition("/")[0]
        start = self._home.root if first in [folder.name for folder in folders] else usual
        try:
            path = (start / text).resolve()
            inside = not text.startswith("~") and any(path.is_relative_to(folder.resolve()) for folder in folders)
        except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
            inside = False
        if not inside:
            raise DeskError(
                "In a browser, files are read and written in the desk's folders imports and exports only, and "
                f"{text[:200] or 'an empty path'} is not in them. {otherwise}"
            )
        return path
