"""The repository of erasures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.database import Database, DeskBusy, DeskFull
from store.erasing import files, learned
from store.erasing.steps import close_up, erase_pairs, index_again, may_change, speaking, steps
from store.erasing.subject import NotErased, Rows, Subject, rows_of
from store.erasing.sweep import sweep
from store.home import Home
from store.times import now
from store.words import Version

CACHED = "cached answers"  # a cache, which is emptied as a whole: its keys don't tell whose questions they are of


@dataclass(frozen=True, slots=True)
class Plan:
    """What erasing would do. ``counts``: places by their kind; ``versions``: those that learned it, themselves or by
    what they began as; ``runs``: those that worked on it; ``unreached``: files of the home that hold it and are not
    deskloop's to change."""

    counts: dict[str, int]
    versions: list[Version]
    runs: list[int]
    unreached: list[Path]

    @property
    def found(self) -> bool:
        """Whether there is anything to erase."""
        return bool(set(self.counts) - {CACHED})


@dataclass(frozen=True, slots=True)
class Done:
    """What was erased: as in the :class:`Plan`, and the number of its row in the log of erasures."""

    erasure: int
    counts: dict[str, int]
    versions: list[Version]
    runs: list[int]
    unreached: list[Path]


class Erasing:
    """The repository of ``desk.erasing``."""

    def __init__(self, db: Database, home: Home) -> None:
        self._db, self._home = db, home

    def plan(self, subject: Subject) -> Plan:
        """What :meth:`erase` would do now; nothing is changed. Raises :class:`store.erasing.NotErased`."""
        rows = rows_of(self._db, subject)
        counts: Counter[str] = Counter()
        with speaking(self._db, rows.words):
            for step in steps(self._db, rows, subject.kind == "text"):
                counts[step.name] += step.count(self._db)
        counts["pairs"] += len(rows.learned)
        for name, paths in self._files(rows):
            counts[name] += len(paths)
        versions = learned.versions_with(self._db, rows)
        return Plan(_some(counts), versions, learned.runs_with(self._db, rows, versions), self._others(rows))

    def erase(self, subject: Subject, who: str) -> Done:
        """Take *subject* out of everything. To be called while no run is live.

        Files come first and the database last, in one transaction: whoever is interrupted finds it all again, until
        it is gone. Raises :class:`NotErased`, also if only the database's files could not be written anew, which
        :meth:`finish` does then."""
        counts = self._clean_files(rows_of(self._db, subject))
        with self._db.atomic():
            rows = rows_of(self._db, subject)
            versions = learned.versions_with(self._db, rows)
            runs = learned.runs_with(self._db, rows, versions)
            with may_change(self._db), speaking(self._db, rows.words):
                for step in steps(self._db, rows, subject.kind == "text"):
                    counts[step.name] += step.do(self._db)
                erase_pairs(self._db, rows, who)
                learned.mark_mistakes(self._db, rows)
                index_again(self._db, rows.turns | rows.saying)
                close_up(self._db, rows)
            counts["pairs"] += len(rows.learned)
            number = self._db.insert(
                "INSERT INTO erasures (subject, counts, versions, at, who) VALUES (?, ?, ?, ?, ?)",
                subject.kind,
                json.dumps(_some(counts)),
                json.dumps(versions),
                now(),
                who,
            )
        self.finish()
        return Done(number, _some(counts), versions, runs, self._others(rows))

    def finish(self) -> None:
        """Write the database's files anew without what was erased. Raises :class:`NotErased` if that can't be."""
        try:
            sweep(self._db)
        except (DeskBusy, DeskFull) as error:
            why = "the disk is full" if isinstance(error, DeskFull) else "other apps keep reading and writing"
            raise NotErased(
                f"It is erased, but the database's files can't be rewritten now ({why}) and may still contain "
                "traces. Fix that, then run `deskloop forget --finish`."
            ) from error
        self._db.run("UPDATE erasures SET swept_at = ? WHERE swept_at IS NULL", now())

    def unfinished(self) -> bool:
        """Whether something was erased of which the database's files may still hold traces."""
        return self._db.one("SELECT 1 FROM erasures WHERE swept_at IS NULL") is not None

    def count(self) -> int:
        """How often something was erased from this desk: whoever shows its texts looks again when it has changed."""
        return int(self._db.value("SELECT count(*) FROM erasures"))

    def tainted(self) -> list[Version]:
        """The versions that learned something that has been erased; oldest first."""
        return learned.tainted(self._db)

    def erased_from(self, run_id: int) -> bool:
        """Whether something was erased from what a run works on or began as: it can't be gone on with."""
        return learned.erased_from(self._db, run_id)

    # -- files -------------------------------------------------------------------------------------
    def _files(self, rows: Rows) -> Iterator[tuple[str, list[Path]]]:
        if rows.words:
            yield "logs", files.holding(files.logs(self._home), rows.words)
            yield "lists of rejected rows", files.holding(files.rejected(self._home), rows.words)

    def _clean_files(self, rows: Rows) -> Counter[str]:
        counts: Counter[str] = Counter()
        for (name, paths), clean in zip(self._files(rows), (files.clean_log, files.clean_rejected), strict=False):
            for path in paths:
                clean(path, rows.words)
            counts[name] += len(paths)
        return counts

    def _others(self, rows: Rows) -> list[Path]:
        return files.others(self._home, rows.words) if rows.words else []


def _some(counts: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
