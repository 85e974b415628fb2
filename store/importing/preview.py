"""What an import would bring in and what not, without writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from store.desk import Desk
from store.importing.importer import TELL_EVERY, Progress, ReadingOptions, digest_of, how, known_conversation
from store.importing.intake import Intake
from store.importing.rows import Item, NewConversation, RowRejected

SHOWN = 5  # pairs or conversations that are shown
LONG = 200  # characters; a shorter pair is not worth counting its tokens
REJECTS = 20  # rejected rows whose reasons are shown


@dataclass(slots=True)
class ImportPreview:
    """Counts of what an import of the file would add and leave out, and its beginning.

    ``form``: the form its rows are of, None if there are none. ``pairs``: (question, answer) of the first ones;
    ``talks``: of the first conversations, (role, text) turn by turn. ``reasons``: (line, reason) of the first rejected
    rows. ``notes``: what else there is to know, in sentences. ``htmls``: rows that hold
    HTML, and would come in with it. ``columns`` and ``cells``: the names in a table's header and its first rows."""

    form: str | None = None
    rows: int = 0
    added: int = 0
    duplicates: int = 0
    conversations: int = 0
    rejected: int = 0
    pairs: list[tuple[str, str]] = field(default_factory=list)
    talks: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    reasons: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    htmls: int = 0
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    long: list[tuple[str, str]] = field(default_factory=list)  # pairs that may be too long to be learned whole


def preview_file(
    desk: Desk,
    path: Path | str,
    format: str | None = None,
    *,
    progress: Progress | None = None,
    **options: Unpack[ReadingOptions],
) -> ImportPreview:
    """Read *path* as :func:`store.importing.import_file` would, and tell what would come in. Nothing is written.

    Raises :class:`ImportRefused` with a sentence where the import would."""
    with Intake(Path(path), how(format, options)) as intake:
        return _Preview(desk).read(intake, progress or (lambda done, size, rows: None))


class _Preview:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: set[str] = set()  # digests of this file's own pairs and conversations
        self._found = ImportPreview()

    def read(self, intake: Intake, progress: Progress) -> ImportPreview:
        found = self._found
        for line, _, item in intake.rows():
            found.rows += 1
            try:
                self._count(item)
            except RowRejected as error:
                found.rejected += 1
                if len(found.reasons) < REJECTS:
                    found.reasons.append((line, str(error)))
            if found.rows % TELL_EVERY == 0:
                progress(intake.done, intake.size, found.rows)
        found.form, found.notes, found.htmls = intake.form, intake.notes(), intake.htmls
        found.columns, found.cells = intake.columns, intake.cells
        return found

    def _count(self, item: Item | RowRejected) -> None:
        if isinstance(item, RowRejected):
            raise item
        try:
            ready = [self._desk.pairs.writer.ready(pair) for pair in item.pairs]
        except ValueError as error:
            raise RowRejected(str(error).rstrip(".")) from None
        if item.conversation is not None and not self._is_new_talk(item.conversation):
            self._found.duplicates += len(ready)
            return
        for pair in ready:
            if pair.digest in self._seen or self._desk.pairs.writer.known(pair.digest):
                self._found.duplicates += 1
                continue
            self._seen.add(pair.digest)
            self._found.added += 1
            if len(pair.instruction) + len(pair.output) > LONG:
                self._found.long.append((pair.instruction, pair.output))
            if item.conversation is None and len(self._found.pairs) < SHOWN:
                self._found.pairs.append((pair.instruction, pair.output))

    def _is_new_talk(self, conversation: NewConversation) -> bool:
        digest = digest_of(conversation)
        if digest in self._seen or known_conversation(self._desk, digest):
            return False
        self._seen.add(digest)
        self._found.conversations += 1
        if len(self._found.talks) < SHOWN:
            self._found.talks.append(conversation.turns)
        return True
