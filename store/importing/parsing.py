"""Rows into pairs: each row is read for what it is, whatever stands before it, so the order of rows changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from store.importing import dialogues, names, pair_rows
from store.importing.marks import MATTERING, media_in, prefers, private, unlearned
from store.importing.names import fold, folded
from store.importing.reading import Source
from store.importing.rows import (
    Facts,
    FileRow,
    Foreign,
    ImportRefused,
    InnerRow,
    Item,
    RowRejected,
    TableRow,
    Unreadable,
)
from store.importing.texts import Texts
from store.spreadsheet import OURS, unguarded
from store.words import Split

FORMATS = {  # form: what it is called on the screen
    "turns": "conversations",
    "messages": "chat messages",
    "sharegpt": "ShareGPT conversations",
    "alpaca": "instruction and output",
    "csv": "a table",
}
_PAIRS = frozenset({"alpaca", "csv"})
_PREFERENCES = (
    "This file contains preferences (chosen and rejected answers, for DPO), not pairs. Nothing was imported. Export "
    "the "
    "chosen answers as instruction and output to use them."
)
_UNKNOWN_SPLITS = 3  # words for a split that are told


def rows_of(source: Source, path: Path, form: str | None, wanted: frozenset[str] = frozenset()) -> Iterator[FileRow]:
    """The rows of a file: a table if its form or its content says so; *wanted*: names in the table's header."""
    return source.rows(True if form == "csv" else None, wanted)


class RowParser:
    """Makes the rows of one file into :class:`Item`. ``htmls``: how many of them held HTML.

    *form*: a key of :data:`FORMATS` that every row has to be of, None: any. *plain*: HTML becomes plain text."""

    def __init__(self, form: str | None, plain: bool = False) -> None:
        if form is not None and form not in FORMATS:
            raise ImportRefused(f"There is no format {form!r}. There are: {', '.join(FORMATS)}.")
        self._form, self._texts = form, Texts(plain)
        self._forms: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()  # sentences by which the file would be refused
        self._strange: tuple[int, str] | None = None  # the first row of no known form: its line, and why
        self._splits: Counter[str] = Counter()
        self._fitting = 0
        self.htmls = 0

    @property
    def form(self) -> str | None:
        """The form that most rows are of; None before the first."""
        return self._form or max(FORMATS, key=lambda form: self._forms[form], default=None) if self._forms else None

    @property
    def unknown_splits(self) -> dict[str, int]:
        """Words that rows name their split by and that are not known, with the number of rows."""
        return dict(self._splits.most_common(_UNKNOWN_SPLITS))

    def parse(self, row: Any, line: int) -> Item:
        """The pairs of *row*, which begins on *line*. Raises :class:`RowRejected`."""
        try:
            item = self._parse(row)
        except Foreign as error:
            self._strange = self._strange or (line, str(error))
            if error.sentence is not None:
                self._foreign[error.sentence] += 1
            raise
        except RowRejected as error:
            self._fitting += 1
            if isinstance(row, TableRow) and row.cells is not None:
                raise RowRejected(f"it has {row.cells} cells and the header has {len(row)}") from error
            if isinstance(row, InnerRow):
                raise RowRejected(f"row {row.place} of those that start there: {error}") from error
            raise
        except RecursionError:
            raise RowRejected("it is nested too deeply") from None
        self._fitting += 1
        return item

    def finish(self) -> None:
        """To be called after the last row. Raises :class:`ImportRefused` if there was none of a known form."""
        if self._fitting or self._strange is None:
            return
        if self._foreign:
            raise ImportRefused(self._foreign.most_common(1)[0][0])
        line, reason = self._strange
        raise ImportRefused(
            f"No row of the file is in a format that deskloop knows (instruction and output, messages, "
            f"conversations, turns). The first, on line {line}: {reason}. Nothing was "
            "imported; name its columns or convert it."
        )

    def _parse(self, row: Any) -> Item:
        if isinstance(row, Unreadable):
            raise Foreign(str(row), row.sentence)
        if not isinstance(row, dict):
            raise Foreign("it is not an object with named values")
        _refuse_twins(row)
        thing = folded(row)
        verbatim = thing.get("source") == OURS
        if verbatim and isinstance(row, TableRow):
            thing = {name: unguarded(value) if isinstance(value, str) else value for name, value in thing.items()}
        self._texts.begin(verbatim)
        form, dialogue = self._form_of(thing, row)
        self._forms[form] += 1
        if private(thing, message=False):
            raise RowRejected("it is marked as private")
        if reason := unlearned(thing):
            raise RowRejected(reason)
        if what := media_in(thing):
            raise RowRejected(f"it needs {what}")
        facts = self._facts(thing)
        if dialogue is None:
            item = pair_rows.parse(thing, facts, self._texts)
        else:
            item = dialogues.parse(dialogue, facts, self._texts, whole=form == "turns")
        self.htmls += self._texts.html
        return item

    def _form_of(self, row: dict[str, Any], raw: dict[Any, Any]) -> tuple[str, dialogues.Dialogue | None]:
        """The form of *row* (*raw*, folded), and the dialogue it holds. Raises :class:`Foreign`."""
        if prefers(row):
            raise Foreign("it contains preferences (chosen and rejected answers)", _PREFERENCES)
        if self._form not in _PAIRS:
            sure = pair_rows.fits(row, sure=True) and self._form is None
            found = dialogues.find(row) or (None if sure else dialogues.find_text(row))
            if found is not None:
                return self._form or _form_of_dialogue(found), found
        if self._form in (None, *_PAIRS) and pair_rows.fits(row, sure=False):
            return self._form or ("csv" if isinstance(raw, TableRow) else "alpaca"), None
        if self._form is not None:
            raise Foreign(f"it is not of the form {self._form}")
        raise Foreign(f"it has {', '.join(map(str, list(raw)[:8])) or 'nothing'}, which is not a known form")

    def _facts(self, row: dict[str, Any]) -> Facts:
        return Facts(_word(row, names.CATEGORY), _word(row, names.LANGUAGE), self._split(row))

    def _split(self, row: dict[str, Any]) -> Split | None:
        """The side that the row itself names."""
        word = _word(row, names.SPLIT)
        side = names.split_of(word) if word else None
        if word is None:
            found = (names.split_of(value) for name in names.SPLIT_TOO if isinstance(value := row.get(name), str))
            side = next((one for one in found if one), None)
        elif side is None:
            self._splits[word.strip()[:40]] += 1
        return cast(Split | None, side)


class Columns:
    """The columns that somebody named: role (of :data:`names.ROLES`) to the name the file has for it."""

    def __init__(self, columns: Mapping[str, str] | None) -> None:
        for role in columns or ():
            if role not in names.ROLES:
                raise ImportRefused(f"A column can't be named for {role!r}, only for {', '.join(names.ROLES)}.")
        self._columns = dict(columns or {})

    def __bool__(self) -> bool:
        return bool(self._columns)

    def named(self, row: Any) -> Any:
        """*row* with the named columns under their roles, and under those alone: what else is called by a name of
        such a role is left out. A row without the columns becomes an :class:`Unreadable`."""
        if not self._columns or not isinstance(row, dict):
            return row
        missing = [column for column in self._columns.values() if column not in row]
        if missing:
            reason = f"it has no column {missing[0]!r}; it has: {', '.join(map(str, list(row)[:20]))}"
            return Unreadable(reason, row, sentence=f"The file has no column: {reason}. Nothing was imported.")
        taken = set(self._columns.values())
        found: dict[Any, Any] = type(row)()
        if isinstance(row, TableRow | InnerRow):
            vars(found).update(vars(row))
        for role, column in self._columns.items():
            found[role] = row[column]
        for name, value in row.items():
            if name not in taken and not (isinstance(name, str) and self._stands_for(fold(name))):
                found[name] = value
        return found

    def _stands_for(self, name: str) -> bool:
        return any(name in known for role, known in names.NAMES_OF.items() if role in self._columns)


def _refuse_twins(row: dict[Any, Any]) -> None:
    """Raise :class:`RowRejected` if two names of *row* that matter are one when folded and do not say the same."""
    seen: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(name, str):
            key = fold(name)
            if key in seen and key in MATTERING and seen[key] != value:
                raise RowRejected(f"it has {key!r} twice")
            seen[key] = value


def _form_of_dialogue(found: dialogues.Dialogue) -> str:
    if found.whole:
        return "turns"
    head = next((message for message in found.messages if isinstance(message, dict)), {})
    return "sharegpt" if "from" in head or "value" in head else "messages"


def _word(row: dict[str, Any], known: tuple[str, ...]) -> str | None:
    """The text under the first of *known* that has one."""
    for name in known:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None
