"""The rows of runs and their states; what belongs to a run beside them is in the other modules of this room."""

from __future__ import annotations

import builtins
import json
import sqlite3
from typing import Any, Literal, TypedDict, Unpack

from store.database import Database, Row
from store.database.cells import FAILURE, OBJECT, REPORT, cell
from store.errors import NotThere
from store.home import Home
from store.records import Run
from store.runs.events import RunEvents
from store.runs.lock import RunLock
from store.runs.reports import Reports
from store.runs.snapshots import Snapshots
from store.runs.states import LIVE, TRANSITIONS, RunAlreadyLive, WrongTransition
from store.runs.wishes import Wishes
from store.times import now
from store.words import PhaseName, RunState, Verdict, Version

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


class Runs(RunEvents, Snapshots, Reports, Wishes):
    """The repository of ``desk.runs``, in parts by subject: their rows and states are here. Unknown ids raise
    :class:`NotThere`."""

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


def _run(row: Row) -> Run:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118  (a Row iterates over values)
    values["recipe"] = cell(values["recipe"], OBJECT, {})
    values["report"] = cell(values["report"], REPORT, None)
    values["failure"] = cell(values["failure"], FAILURE, None)
    return Run(**values)
