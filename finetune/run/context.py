"""What every step of a run works on and with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.engines.child import EngineProcess
from bot.engines.engine import Engine
from finetune.files import RunFiles
from finetune.launch.here import Here
from finetune.launch.launcher import Launcher
from finetune.recipe import Recipe, recipe_of
from finetune.run.wishes import Wishes
from store.desk import Desk
from store.records import Run

EngineFactory = Callable[[Path], Engine]  # takes the log file of an engine's process


def engine_process(log: Path) -> Engine:
    """An engine of the run's own, fresh: what serves chat goes on serving it."""
    return EngineProcess(log=log)


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run on its desk. ``system``: the system message as it was when the run began to work."""

    desk: Desk
    run_id: int
    recipe: Recipe
    files: RunFiles
    system: str
    wishes: Wishes
    launcher: Launcher
    make_engine: EngineFactory

    @classmethod
    def of(
        cls,
        desk: Desk,
        run: Run,
        wishes: Wishes | None = None,
        *,
        launcher: Launcher | None = None,
        make_engine: EngineFactory = engine_process,
    ) -> RunContext:
        """The context of *run*. It trains here and is judged by an engine process unless it is told otherwise."""
        return cls(
            desk=desk,
            run_id=run.id,
            recipe=recipe_of(run.recipe),
            files=RunFiles.of(desk.home, run.id),
            system=desk.settings.load().system_message,
            wishes=wishes or Wishes(),
            launcher=launcher or Here(),
            make_engine=make_engine,
        )

    @property
    def run(self) -> Run:
        """Its row, as it is now."""
        return self.desk.runs.get(self.run_id)

    def folder(self, version: str) -> Path:
        """Where the files of a published version are."""
        return self.desk.home.adapters / self.desk.versions.get(version).folder

    # -- what it says ------------------------------------------------------------------------------
    def emit(self, kind: str, body: dict[str, Any]) -> None:
        """Write an event for whoever follows the run. Raises :class:`store.errors.DeskError`."""
        if kind == "phase":
            self.desk.runs.update(self.run_id, phase=str(body["phase"]))
        self.desk.runs.add_event(self.run_id, kind, body)

    def enter(self, phase: str, sentence: str) -> None:
        """Say what begins now."""
        self.emit("phase", {"phase": phase, "sentence": sentence})

    def note(self, sentence: str) -> None:
        """Say something in passing."""
        self.emit("note", {"sentence": sentence})

    # -- what it said ------------------------------------------------------------------------------
    def steps(self) -> list[dict[str, Any]]:
        """The training steps that were told, the first one first."""
        return [event.body for event in self.desk.runs.events(self.run_id) if event.kind == "step"]
