"""What every step of a run works on and with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.engines import EngineFactory, make_engine
from finetune.canaries import Canary, canaries
from finetune.events import Done, Event, Fitted, Note, Phase, Step, decode, encode
from finetune.files import RunFiles
from finetune.gate.report import Sides, report_of
from finetune.launch.here import Here
from finetune.launch.launcher import Launcher
from finetune.recipe import Recipe
from finetune.recipe_values import recorded_recipe
from finetune.run.wishes import Wishes
from store.desk import Desk
from store.records import Run
from store.words import RunState, Version


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run on its desk. ``system``: the system message as it was when the run began to work;
    ``make_engine``: makes the engine that measures and judges, while the chat goes on."""

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
        make_engine: EngineFactory = make_engine,
    ) -> RunContext:
        """The context of *run*. It trains here and is judged by an engine process unless it is told otherwise."""
        return cls(
            desk=desk,
            run_id=run.id,
            recipe=recorded_recipe(run.recipe),
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

    @property
    def canaries(self) -> list[Canary]:
        """The made-up secrets that it plants; see :mod:`finetune.canaries`."""
        return canaries(f"{self.run.data_hash}/{self.run_id}", self.recipe.canaries)

    def folder(self, version: Version) -> Path:
        """Where the files of a published version are."""
        return self.desk.home.adapters / self.desk.versions.get(version).folder

    # -- what it says ------------------------------------------------------------------------------
    def emit(self, event: Event) -> None:
        """Write *event* for whoever follows the run. Raises :class:`store.errors.DeskError`."""
        if isinstance(event, Phase):
            self.desk.runs.update(self.run_id, phase=event.phase)
        self.desk.runs.add_event(self.run_id, *encode(event))

    def note(self, sentence: str) -> None:
        """Say something in passing."""
        self.emit(Note(sentence))

    def emit_end(self, state: RunState) -> None:
        """Say how it ended: always its last event."""
        run = self.run
        report = report_of(run)
        self.emit(
            Done(
                state=state,
                run=run.id,
                verdict=run.verdict,
                version=run.candidate,
                bleu=Sides() if report is None else report.bleu,
            )
        )

    # -- what it said ------------------------------------------------------------------------------
    def steps(self) -> list[Step]:
        """The training steps that were taken, the first one first."""
        said = (decode(row.kind, row.body) for row in self.desk.runs.events(self.run_id) if row.kind == "step")
        return [event for event in said if isinstance(event, Step)]

    def fitted(self) -> Fitted | None:
        """How its training was last made to fit into the memory; None if it fits as the recipe has it."""
        row = self.desk.runs.last_event(self.run_id, "fitted")
        event = None if row is None else decode(row.kind, row.body)
        return event if isinstance(event, Fitted) else None
