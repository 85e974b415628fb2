"""What a run said, line by line, with search."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from store.text import clean


class RunLog(OptionList):
    """Lines that can be searched; the line that was found is the marked one. Follows its end until a line is marked."""

    def __init__(self) -> None:
        super().__init__(id="run-log", markup=False)
        self._log_lines: list[str] = []
        self._query = ""

    def add(self, at: str, sentence: str) -> None:
        """One more line; ``at``: when, as the store writes it."""
        line = f"{at[11:19]} {' '.join(clean(sentence).split())}"
        self._log_lines.append(line)
        self.add_option(Option(Content(line)))
        if self.highlighted is None:
            self.scroll_end(animate=False)

    def search(self, query: str) -> str:
        """Mark the last line with *query* in it, in any case; returns how many there are, in words."""
        self._query = clean(query).strip().casefold()
        self.highlighted = None
        return self.find(-1)

    def find(self, by: int) -> str:
        """Mark the next line that was searched for (*by* = 1), or the one before (-1), round and round; returns which
        one it is, in words."""
        if not self._query:
            return "No search yet. Press / to search."
        found = [number for number, line in enumerate(self._log_lines) if self._query in line.casefold()]
        if not found:
            return f"No line contains “{self._query}”."
        here = self.highlighted
        if here is None:
            here = len(self._log_lines) if by < 0 else -1
        ahead = (
            [number for number in found if number > here] if by > 0 else [number for number in found if number < here]
        )
        self.highlighted = (ahead[0] if by > 0 else ahead[-1]) if ahead else found[0 if by > 0 else -1]
        return f"Line {found.index(self.highlighted) + 1} of {len(found)} with “{self._query}”."
