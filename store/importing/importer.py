"""One file into the desk: good rows are kept, bad ones are listed with line and reason.

The file is read, checked and made ready first, without holding up any other app on the desk; then everything that is
kept goes in by one transaction. So a file that is refused at its last line, a full disk or a kill leaves the desk as
it was: an import is there whole or not at all. While the transaction lasts (about a second for 12,000 pairs) other
apps' writes wait.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

from store.desk import Desk
from store.importing.intake import Intake, Options
from store.importing.rejects import Rejects
from store.importing.rows import ImportRefused, Item, NewConversation, RowRejected
from store.importing.staging import Staging
from store.pairs.new import Origin, ReadyPair
from store.text import clean
from store.words import Split

TELL_EVERY = 500  # rows between two calls of the progress function

Progress = Callable[[int, int, int], None]  # bytes done, bytes in all, rows read


class ReadingOptions(TypedDict, total=False):
    """How a file is to be read, where it does not say so itself: see :class:`store.importing.intake.Options`."""

    columns: Mapping[str, str] | None
    encoding: str | None
    plain: bool


class ImportOptions(ReadingOptions, total=False):
    """What is to be done with the rows of a file. ``split``: the side of questions that the desk does not know;
    ``strict``: all rows or none."""

    split: Split | None
    strict: bool


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did. ``rejects_file`` lists the rejected rows, one JSON object a line."""

    added: int
    duplicates: int
    rejected: int
    rejects_file: Path | None = None
    conversations: int = 0
    reasons: tuple[tuple[int, str], ...] = ()  # the first few (line, reason)
    notes: tuple[str, ...] = ()  # what else there is to know, in sentences


def import_file(
    desk: Desk,
    path: Path | str,
    format: str | None = None,
    *,
    who: str,
    progress: Progress | None = None,
    **options: Unpack[ImportOptions],
) -> ImportResult:
    """Import pairs or conversations from *path*.

    *format*: a key of :data:`FORMATS`, None to tell by ending and content. *split*: the side for questions the desk
    does not know yet; a question that is known stays where it is. *columns*: ``instruction``, ``output`` and so on
    to the names the file has for them. Exact duplicates, of pairs the desk has or has excluded, are skipped and
    counted, so that importing again changes nothing. *strict*: everything or, if one row is bad, nothing.
    *encoding*: what the file is written in, None to tell by its first bytes. *plain*: HTML in it becomes plain text.
    Raises :class:`ImportRefused` with a sentence; nothing is imported then."""
    path, split = Path(path), options.get("split")
    if split not in (None, "train", "heldout"):
        raise ImportRefused(f"A pair is on the side train or heldout, not {split!r}.")
    desk.db.check_writable()
    with Intake(path, how(format, options)) as intake:
        staging, rejects = Staging(desk.home.root), Rejects(desk.home.exports, path.stem)
        try:
            work = _Import(desk, Origin("import", who, clean(path.name)), split, progress)
            work.read(intake, staging, rejects)
            if not (options.get("strict") and rejects.count):
                work.write(intake, staging)
            rejects.close(keep=True)
        except BaseException:
            rejects.close(keep=False)
            raise
        finally:
            staging.close()
        return ImportResult(
            work.added,
            work.duplicates,
            rejects.count,
            rejects.path,
            work.conversations,
            tuple(rejects.first),
            tuple(intake.notes()),
        )


def how(form: str | None, options: ReadingOptions) -> Options:
    """The options of an intake."""
    return Options(form, options.get("columns") or {}, options.get("encoding"), options.get("plain", False))


class _Import:
    def __init__(self, desk: Desk, origin: Origin, split: Split | None, progress: Progress | None) -> None:
        self._desk, self._origin, self._split = desk, origin, split
        self._progress = progress or (lambda done, size, rows: None)
        self._rows = 0
        self.added = self.duplicates = self.conversations = 0

    def read(self, intake: Intake, staging: Staging, rejects: Rejects) -> None:
        """Every row into *staging* or *rejects*. Nothing of the desk is touched."""
        for line, row, item in intake.rows():
            self._rows += 1
            try:
                if isinstance(item, RowRejected):
                    raise item
                staging.add([self._ready(item, place) for place in range(len(item.pairs))], item.conversation)
            except RowRejected as error:
                rejects.add(line, str(error), row)
            if self._rows % TELL_EVERY == 0:
                self._progress(intake.done, intake.size, self._rows)

    def _ready(self, item: Item, place: int) -> ReadyPair:
        pair = item.pairs[place]
        try:
            return self._desk.pairs.writer.ready(replace(pair, split=self._split or pair.split))
        except ValueError as error:
            raise RowRejected(str(error).rstrip(".")) from None

    def write(self, intake: Intake, staging: Staging) -> None:
        """Everything that was staged, in one transaction."""
        with self._desk.atomic():
            share = self._desk.pairs.writer.heldout_share()
            for count, (pairs, conversation) in enumerate(staging.items(), 1):
                if conversation is not None and not self._keep_conversation(conversation):
                    self.duplicates += len(pairs)
                    continue
                for pair in pairs:
                    if self._desk.pairs.writer.write(pair, self._origin, share) is None:
                        self.duplicates += 1
                    else:
                        self.added += 1
                if count % TELL_EVERY == 0:
                    self._progress(intake.size, intake.size, self._rows)
        self._progress(intake.size, intake.size, self._rows)

    def _keep_conversation(self, conversation: NewConversation) -> bool:
        """Write a conversation unless exactly this one was imported before."""
        digest = digest_of(conversation)
        if known_conversation(self._desk, digest):
            return False
        source = f"import:{self._origin.ref}#{digest}"
        row = self._desk.conversations.create(self._origin.who, conversation.title, source, conversation.customer)
        self._desk.conversations.import_turns(row.id, conversation.turns, self._origin.who)
        self.conversations += 1
        return True


def digest_of(conversation: NewConversation) -> str:
    """What a conversation that was imported is known by."""
    return hashlib.sha256(json.dumps(conversation.turns).encode()).hexdigest()[:24]


def known_conversation(desk: Desk, digest: str) -> bool:
    """Whether exactly this conversation was imported before."""
    known = "SELECT 1 FROM conversations WHERE substr(source, -24) = ? AND source LIKE 'import:%'"
    return desk.db.one(known, digest) is not None
