"""One file into the desk: good rows are kept, bad ones are listed with line and reason."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from store.desk import Desk
from store.importing import alpaca, messages, sharegpt, turns
from store.importing.reading import Row, Source
from store.importing.rows import ImportRefused, Item, NewConversation, RowRejected, refuse_other_data
from store.records import Split
from store.text import clean

BATCH = 2000  # rows a transaction: other apps on the desk wait for no longer than it takes
TELL_EVERY = 500  # rows between two calls of the progress function

Progress = Callable[[int, int, int], None]  # bytes done, bytes in all, rows read


class Format(Protocol):
    """A form of rows: a module with these two functions."""

    @staticmethod
    def fits(row: dict[str, Any]) -> bool: ...
    @staticmethod
    def parse(row: dict[str, Any]) -> Item: ...


FORMATS: dict[str, Any] = {
    "turns": turns,
    "messages": messages,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "csv": alpaca,  # the same rows, read from a table
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not imported."""

    line: int
    reason: str
    row: Any


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did. ``rejects_file`` lists the rejected rows, one JSON object a line."""

    added: int
    duplicates: int
    rejected: int
    rejects_file: Path | None = None
    conversations: int = 0
    reasons: tuple[tuple[int, str], ...] = ()  # the first few (line, reason)


class _NothingKept(Exception):
    """Undoes the transaction of a strict import."""


def import_file(
    desk: Desk,
    path: Path | str,
    format: str | None = None,
    split: Split | str | None = None,
    strict: bool = False,
    columns: Mapping[str, str] | None = None,
    *,
    who: str,
    progress: Progress | None = None,
) -> ImportResult:
    """Import pairs or conversations from *path*.

    *format*: a key of :data:`FORMATS`, None to tell by ending and content. *split*: the side for questions the desk
    does not know yet. *columns*: ``instruction`` and ``output`` to the names of a CSV's columns. Exact duplicates
    are skipped and counted, so that importing again changes nothing; that is also how an import that was killed is
    completed. *strict*: everything or, if one row is bad, nothing. Raises :class:`ImportRefused` with a sentence,
    with nothing imported if it is told by the first row."""
    path = Path(path)
    if split not in (None, "train", "heldout"):
        raise ImportRefused(f"A pair is on the side train or heldout, not {split!r}.")
    if format is not None and format not in FORMATS:
        raise ImportRefused(f"There is no format {format!r}. There are: {', '.join(FORMATS)}.")
    try:
        source = Source(path)
    except OSError as error:
        raise ImportRefused(f"{path} can't be read: {error.strerror or error}.") from error
    try:
        return _Import(desk, source, path, split, strict, dict(columns or {}), who, progress).run(format)
    finally:
        source.close()


class _Import:
    def __init__(
        self,
        desk: Desk,
        source: Source,
        path: Path,
        split: Any,
        strict: bool,
        columns: dict[str, str],
        who: str,
        progress: Progress | None,
    ) -> None:
        self._desk, self._source, self._path, self._who = desk, source, path, who
        self._split, self._strict, self._columns, self._progress = split, strict, columns, progress
        self._added = self._duplicates = self._conversations = 0
        self._rejected: list[Rejected] = []
        self._format: Any = None

    def run(self, name: str | None) -> ImportResult:
        rows = self._rows(name)
        self._format = FORMATS.get(name or "")
        if self._strict:
            try:
                with self._desk.atomic():
                    for _ in self._batches(rows):
                        pass
                    if self._rejected:
                        raise _NothingKept
            except _NothingKept:
                self._added = self._duplicates = self._conversations = 0
        else:
            self._in_transactions(rows)
        if self._progress is not None:
            self._progress(self._source.size, self._source.size, self._added + self._duplicates + len(self._rejected))
        return ImportResult(
            self._added,
            self._duplicates,
            len(self._rejected),
            self._write_rejects(),
            self._conversations,
            tuple((row.line, row.reason) for row in self._rejected[:20]),
        )

    def _rows(self, name: str | None) -> Iterator[Row]:
        if name == "csv" or (name is None and self._path.suffix.lower() in (".csv", ".tsv")):
            return self._source.table()
        return self._source.array() if self._source.is_array() else self._source.lines()

    def _in_transactions(self, rows: Iterator[Row]) -> None:
        batches = self._batches(rows)
        more = True
        while more:
            with self._desk.atomic():
                more = next(batches, False)

    def _batches(self, rows: Iterator[Row]) -> Iterator[bool]:
        """Take the rows in; yields True after each batch."""
        for count, (line, row) in enumerate(rows, 1):
            try:
                self._take(row)
            except RowRejected as error:
                self._rejected.append(Rejected(line, str(error), None if isinstance(row, Exception) else row))
            if self._progress is not None and count % TELL_EVERY == 0:
                self._progress(self._source.done, self._source.size, count)
            if count % BATCH == 0:
                yield True

    def _take(self, row: Any) -> None:
        if isinstance(row, Exception):
            raise RowRejected(str(row))
        if not isinstance(row, dict):
            raise RowRejected("it is not an object with named values")
        for role, column in self._columns.items():
            if column not in row:
                raise ImportRefused(f"The file has no column {column!r}. It has: {', '.join(map(str, row))}.")
            row[role] = row[column]
        if self._format is None:
            self._format = recognise(row)
        else:
            try:
                refuse_other_data(row)
            except ImportRefused as error:
                raise RowRejected(str(error).partition(". ")[0]) from None
        if not self._format.fits(row):
            raise RowRejected("it is not of the form of the rows before it")
        self._keep(self._format.parse(row))

    def _keep(self, item: Item) -> None:
        if item.conversation is not None and not self._keep_conversation(item.conversation):
            self._duplicates += len(item.pairs)
            return
        for pair in item.pairs:
            new = replace(pair, split=self._split or pair.split)
            if self._desk.pairs.add(new, "import", self._who, self._path.name) is None:
                self._duplicates += 1
            else:
                self._added += 1

    def _keep_conversation(self, conversation: NewConversation) -> bool:
        """Write a conversation unless exactly this one was imported before."""
        digest = hashlib.sha256(json.dumps(conversation.turns).encode()).hexdigest()[:24]
        source = f"import:{clean(self._path.name)}#{digest}"
        if self._desk.db.one("SELECT 1 FROM conversations WHERE source LIKE 'import:%#' || ?", digest) is not None:
            return False
        row = self._desk.conversations.create(self._who, conversation.title, source)
        self._desk.conversations.import_turns(row.id, conversation.turns, self._who)
        self._conversations += 1
        return True

    def _write_rejects(self) -> Path | None:
        if not self._rejected:
            return None
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = self._desk.home.exports / f"{_safe(self._path.stem)}-rejected-{stamp}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            path.chmod(0o600)
            for row in self._rejected:
                file.write(json.dumps({"line": row.line, "reason": row.reason, "row": row.row}) + "\n")
        return path


def recognise(row: dict[str, Any]) -> Any:
    """The format of a file by its first row. Raises :class:`ImportRefused`."""
    refuse_other_data(row)
    for module in (turns, messages, sharegpt, alpaca):
        if module.fits(row):
            return module
    raise ImportRefused(
        f"The file's first row has {', '.join(map(str, list(row)[:8])) or 'nothing'}, which is no form of pairs "
        "that is known here (instruction and output, messages, conversations, turns). Nothing was imported; name its "
        "columns or convert it."
    )


def _safe(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in name)[:80] or "file"
