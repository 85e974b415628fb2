"""Runs: their states, what they trained on, and what they told."""

from __future__ import annotations

import builtins
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict, Unpack

from store.database import Database, DeskReadOnly, Row
from store.database.cells import FAILURE, OBJECT, REPORT, cell
from store.errors import NotThere
from store.home import Home, private_file
from store.pairs import pair_of
from store.records import JudgedAnswer, Run, RunEvent, Snapshot, Wish
from store.runs.states import LIVE, TRANSITIONS, RunAlreadyLive, WrongTransition
from store.text import clean
from store.times import now
from store.words import PhaseName, RunState, RunWish, Verdict, Version

_JSON = frozenset({"report", "failure"})


class RunChanges(TypedDict, total=False):
    """The columns of a run that may be set beside its state."""

    phase: PhaseName | Literal[""]
    parent: Version
    base_fingerprint: str
    data_hash: str
    candidate: Version
    verdict: Verdict
    report: dict[str, Any]
    failure: dict[str, Any]
    pid: int


class Runs:
    """The repository of ``desk.runs``. Unknown ids raise :class:`NotThere`."""

    def __init__(self, db: Database, home: Home) -> None:
        self._db, self._home = db, home

    def create(self, recipe: dict[str, Any], parent: Version, who: str) -> Run:
        """A queued run. Raises :class:`RunAlreadyLive` if one is live, whichever app started it."""
        with self._db.atomic():
            try:
                number = self._db.insert(
                    "INSERT INTO runs (state, recipe, parent, created_at, created_by) VALUES ('queued', ?, ?, ?, ?)",
                    json.dumps(recipe, sort_keys=True),
                    parent,
                    now(),
                    who,
                )
            except sqlite3.IntegrityError as error:
                raise RunAlreadyLive from error
            self._note_state(number, "queued")
        return self.get(number)

    def get(self, run_id: int) -> Run:
        """One run."""
        row = self._db.one("SELECT * FROM runs WHERE id = ?", run_id)
        if row is None:
            raise NotThere(f"There is no run {run_id}.")
        return _run(row)

    def list(self, limit: int | None = None) -> builtins.list[Run]:
        """Runs, the latest first."""
        rows = self._db.all("SELECT * FROM runs ORDER BY id DESC LIMIT ?", -1 if limit is None else limit)
        return [_run(row) for row in rows]

    def live(self) -> Run | None:
        """The run that is live on this desk."""
        row = self._db.one("SELECT * FROM runs WHERE state IN ('queued', 'training', 'evaluating')")
        return None if row is None else _run(row)

    def transition(self, run_id: int, to: RunState, **changes: Unpack[RunChanges]) -> Run:
        """Move a run to state *to*, with its time, and set the columns named in *changes* with it.

        Raises :class:`WrongTransition`, :class:`RunAlreadyLive` (a resume beside another live run)."""
        with self._db.atomic():
            run = self.get(run_id)
            if to not in TRANSITIONS.get(run.state, ()) or (to == "queued" and not run.resumable):
                raise WrongTransition(f"Run {run_id} is {run.state} and can't become {to}.")
            if to == "training" and run.started_at is None:
                self._db.run("UPDATE runs SET started_at = ? WHERE id = ?", now(), run_id)
            ended = None if to in LIVE else now()
            try:
                self._db.run("UPDATE runs SET state = ?, finished_at = ? WHERE id = ?", to, ended, run_id)
            except sqlite3.IntegrityError as error:
                raise RunAlreadyLive from error
            self._note_state(run_id, to)
            self.update(run_id, **changes)
        return self.get(run_id)

    def update(self, run_id: int, **changes: Unpack[RunChanges]) -> None:
        """Set columns that are not the state."""
        if unknown := set(changes) - RunChanges.__annotations__.keys():
            raise ValueError(f"Runs have no column {', '.join(sorted(unknown))}.")
        for column, value in changes.items():
            stored = json.dumps(value) if column in _JSON and value is not None else value
            self._db.run(f"UPDATE runs SET {column} = ? WHERE id = ?", stored, run_id)

    def states(self, run_id: int) -> builtins.list[tuple[RunState, str]]:
        """Every state the run was in, with the time it began."""
        rows = self._db.all("SELECT state, at FROM run_states WHERE run_id = ? ORDER BY id", run_id)
        return [(row["state"], row["at"]) for row in rows]

    def _note_state(self, run_id: int, state: RunState) -> None:
        self._db.run("INSERT INTO run_states (run_id, state, at) VALUES (?, ?, ?)", run_id, state, now())

    # -- wishes ------------------------------------------------------------------------------------
    def wish(self, run_id: int, wish: RunWish, who: str) -> bool:
        """Ask the process of a live run to end it; False if the run is not live. Any app on the desk may."""
        with self._db.atomic():
            if self.get(run_id).state not in LIVE:
                return False
            self._db.run(
                "INSERT INTO wishes (run_id, wish, after_state, created_at, created_by) "
                "VALUES (?, ?, (SELECT max(id) FROM run_states WHERE run_id = ?), ?, ?)",
                run_id,
                wish,
                run_id,
                now(),
                who,
            )
        return True

    def wished(self, run_id: int) -> Wish | None:
        """What was asked of the run since it was last started or resumed; the first word counts."""
        row = self._db.one(
            "SELECT wish, created_by FROM wishes WHERE run_id = ? AND after_state >= "
            "(SELECT max(id) FROM run_states WHERE run_id = ? AND state = 'queued') ORDER BY id LIMIT 1",
            run_id,
            run_id,
        )
        return None if row is None else Wish(row["wish"], row["created_by"])

    # -- events ------------------------------------------------------------------------------------
    def add_event(self, run_id: int, kind: str, body: dict[str, Any]) -> RunEvent:
        """Tell something."""
        at = now()
        number = self._db.insert(
            "INSERT INTO run_events (run_id, at, kind, body) VALUES (?, ?, ?, ?)",
            run_id,
            at,
            kind,
            json.dumps(body),
        )
        return RunEvent(number, run_id, at, kind, body)

    def events(self, run_id: int, after_id: int = 0) -> builtins.list[RunEvent]:
        """What a run told after the event *after_id*."""
        rows = self._db.all("SELECT * FROM run_events WHERE run_id = ? AND id > ? ORDER BY id", run_id, after_id)
        return [_event(row) for row in rows]

    def last_event(self, run_id: int, kind: str) -> RunEvent | None:
        """The newest event of one kind, if there is one."""
        row = self._db.one(
            "SELECT * FROM run_events WHERE run_id = ? AND kind = ? ORDER BY id DESC LIMIT 1", run_id, kind
        )
        return None if row is None else _event(row)

    # -- data --------------------------------------------------------------------------------------
    def set_snapshot(
        self,
        run_id: int,
        train: Iterable[tuple[int, int]],
        heldout: Iterable[int],
        data_hash: str,
        validation: Iterable[int] = (),
    ) -> None:
        """Fix what the run trains on (pair id, weight), is judged by, and is watched by while it trains. From here on
        those questions never change from training to test."""
        with self._db.atomic():
            self._db.run("DELETE FROM run_pairs WHERE run_id = ?", run_id)
            rows = [(run_id, pair, "train", weight) for pair, weight in train]
            rows += [(run_id, pair, "heldout", 1) for pair in heldout]
            rows += [(run_id, pair, "validation", 1) for pair in validation]
            self._db.many("INSERT INTO run_pairs VALUES (?, ?, ?, ?)", rows)
            self._db.run(
                "UPDATE splits SET used_by_run = ? WHERE used_by_run IS NULL AND key IN ("
                "SELECT p.key FROM pairs p JOIN run_pairs r ON r.pair_id = p.id WHERE r.run_id = ?)",
                run_id,
                run_id,
            )
            self.update(run_id, data_hash=data_hash)

    def snapshot(self, run_id: int) -> Snapshot:
        """What :meth:`set_snapshot` fixed."""
        rows = self._db.all(
            "SELECT p.*, s.split, r.split AS side, r.weight FROM run_pairs r JOIN pairs p ON p.id = r.pair_id "
            "JOIN splits s ON s.key = p.key WHERE r.run_id = ? ORDER BY p.id",
            run_id,
        )
        sides = {side: [row for row in rows if row["side"] == side] for side in ("train", "heldout", "validation")}
        return Snapshot(
            [(pair_of(row), row["weight"]) for row in sides["train"]],
            [pair_of(row) for row in sides["heldout"]],
            [pair_of(row) for row in sides["validation"]],
        )

    def trained_on(self, run_id: int) -> builtins.list[tuple[int, str]]:
        """The number and question of each pair that :meth:`set_snapshot` fixed for training."""
        rows = self._db.all(
            "SELECT p.id, p.instruction FROM run_pairs r JOIN pairs p ON p.id = r.pair_id "
            "WHERE r.run_id = ? AND r.split = 'train' ORDER BY p.id",
            run_id,
        )
        return [(row["id"], row["instruction"]) for row in rows]

    def trained_pairs(self, run_id: int) -> int:
        """How many pairs those are."""
        return int(self._db.value("SELECT count(*) FROM run_pairs WHERE run_id = ? AND split = 'train'", run_id))

    def pair_counts(self) -> dict[int, int]:
        """How many pairs each run trained on, by its number."""
        rows = self._db.all("SELECT run_id, count(*) AS n FROM run_pairs WHERE split = 'train' GROUP BY run_id")
        return {row["run_id"]: row["n"] for row in rows}

    def save_report(
        self, run_id: int, verdict: Verdict, report: dict[str, Any], rows: Sequence[JudgedAnswer] = ()
    ) -> None:
        """Keep the gate's verdict with its numbers and the answers it compared."""
        with self._db.atomic():
            self.update(run_id, verdict=verdict, report=report)
            self._db.run("DELETE FROM judged_answers WHERE run_id = ?", run_id)
            self._db.many(
                "INSERT INTO judged_answers VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        run_id,
                        row.pair_id,
                        row.kind,
                        clean(row.before),
                        clean(row.after),
                        row.target,
                        row.outcome,
                    )
                    for row in rows
                ],
            )

    def judged(self, run_id: int) -> builtins.list[JudgedAnswer]:
        """The answers the gate compared."""
        rows = self._db.all("SELECT * FROM judged_answers WHERE run_id = ? ORDER BY kind, pair_id", run_id)
        return [
            JudgedAnswer(row["pair_id"], row["kind"], row["before"], row["after"], row["target"], row["outcome"])
            for row in rows
        ]

    def judged_questions(self, run_id: int) -> dict[int, str]:
        """The questions of :meth:`judged`, by pair."""
        rows = self._db.all(
            "SELECT DISTINCT p.id, p.instruction FROM judged_answers j JOIN pairs p ON p.id = j.pair_id "
            "WHERE j.run_id = ?",
            run_id,
        )
        return {row["id"]: row["instruction"] for row in rows}

    # -- crashes -----------------------------------------------------------------------------------
    def mark_interrupted(self) -> builtins.list[Run]:
        """Runs that count as live but whose process is gone become ``interrupted``; returns those. What their process
        could not tell any more, their end, is told for it."""
        run = self.live()
        lock = RunLock(self._home)
        if run is None or self._db.read_only is not None or not lock.acquire():
            return []
        try:
            with self._db.atomic():
                run = self.live()  # looked at again: between look and lock it may have ended
                if run is None:
                    return []
                self.add_event(
                    run.id,
                    "done",
                    {"run": run.id, "verdict": None, "version": run.candidate, "bleu": None, "state": "interrupted"},
                )
                return [self.transition(run.id, "interrupted")]
        finally:
            lock.release()


class RunLock:
    """Held by the process of the live run. The system lets go of it when that process dies, however it dies.

    The lock belongs to the open file, so a parent that takes it and passes :attr:`fd` on to its child leaves no
    moment in which a live run has no holder."""

    def __init__(self, home: Home) -> None:
        self._path = home.run_lock
        self._fd: int | None = None

    @property
    def fd(self) -> int:
        """The descriptor to pass to the child. Raises :class:`RuntimeError` if the lock is not held."""
        if self._fd is None:
            raise RuntimeError("The run lock is not held.")
        return self._fd

    def acquire(self, blocking: bool = False) -> bool:
        """Take the lock; False if another process has it. Raises :class:`DeskReadOnly` if there can be none."""
        try:
            descriptor = os.open(private_file(self._path), os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise DeskReadOnly(self._path, (error.strerror or str(error)).lower()) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._fd = descriptor
        return True

    @classmethod
    def adopt(cls, home: Home, fd: int) -> RunLock:
        """The lock a parent took and passed on as *fd*."""
        lock = cls(home)
        lock._fd = fd
        os.set_inheritable(fd, False)
        return lock

    def release(self) -> None:
        """Let go of this process's hold; a child that has the descriptor keeps the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _run(row: Row) -> Run:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118  (a Row iterates over values)
    values["recipe"] = cell(values["recipe"], OBJECT, {})
    values["report"] = cell(values["report"], REPORT, None)
    values["failure"] = cell(values["failure"], FAILURE, None)
    return Run(**values)


def _event(row: Row) -> RunEvent:
    return RunEvent(row["id"], row["run_id"], row["at"], row["kind"], cell(row["body"], OBJECT, {}))
