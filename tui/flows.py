"""What takes more than one dialog: first start, import, retraining and its verdict, activation, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.types import EngineError
from tui.core import DeskError, DeskService
from tui.core.adapters import overview
from tui.core.importing import import_into, load_sample_desk
from tui.core.recipes import recipe_from
from tui.core.reports import version_details
from tui.core.setup import set_up
from tui.screens.dialog import Ask, Confirm
from tui.screens.import_file import ImportDialog
from tui.screens.preflight import PreflightDialog
from tui.screens.settings import SettingsScreen
from tui.screens.start import FirstStart, InterruptedRun, NoModel
from tui.screens.training import TrainingScreen
from tui.screens.verdict import Override, VerdictDialog
from tui.screens.versions import VersionsScreen

if TYPE_CHECKING:
    from tui.app import DeskloopApp

RUN_OVER = ("promoted", "held", "rejected")


class Flows:
    """The app's longer stories. Each runs as a worker of the app, so that it outlives the screen it began on."""

    def __init__(self, app: DeskloopApp, service: DeskService) -> None:
        self._app, self._service = app, service
        self._stories: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "retrain": self._retrain,
            "training": self._training,
            "versions": self._versions,
            "roll_back": self._roll_back,
            "settings": self._settings,
            "import": self._import,
        }

    def do(self, what: str) -> None:
        """Begin the story called *what*."""
        self._tell_story(self._stories[what]())

    def start(self) -> None:
        """The app was opened: first questions, then the engine."""
        self._tell_story(self._first_minutes())

    def run_ended(self, run_id: int) -> None:
        """A run is over: say how."""
        self._tell_story(self._verdict(run_id))

    def leave(self) -> None:
        """Leave the app."""
        self._tell_story(self._leave())

    def _tell_story(self, story: Coroutine[Any, Any, None]) -> None:
        self._app.run_worker(self._guarded(story), exit_on_error=False)

    async def _guarded(self, story: Awaitable[None]) -> None:
        """A story that fails ends with its sentence; everything is as it was."""
        try:
            await story
        except (DeskError, EngineError) as error:
            self._say(error.sentence, trouble=True)
        except (OSError, ValueError, LookupError) as error:
            self._say(str(error), trouble=True)

    def _say(self, sentence: str, *, trouble: bool = False) -> None:
        severity: Any = "error" if trouble else "information"
        self._app.notify(sentence, severity=severity, markup=False, timeout=12 if trouble else 6)

    async def _show(self, dialog: Any) -> Any:
        return await self._app.push_screen_wait(dialog)

    # -- opening and leaving -----------------------------------------------------------------------
    async def _first_minutes(self) -> None:
        desk = self._service.desk
        engine = asyncio.create_task(self._service.start_engine())
        if not desk.pairs.count(state="all") and not desk.conversations.list(limit=1):
            await self._first_start()
        for run in self._service.interrupted():
            choice = await self._show(InterruptedRun(run))
            if choice == "resume":
                await self._service.resume_run(run.id)
            elif choice == "discard":
                self._service.discard_run(run.id)
        state = await engine
        if state.name == "absent" and await self._show(NoModel(state.sentence)):
            await set_up(desk, None, self._service.who, self._say)
            await self._service.start_engine()

    async def _first_start(self) -> None:
        choice = await self._show(FirstStart())
        if choice == "sample":
            result = await load_sample_desk(self._service)
            self._say(f"The sample desk is loaded: {result.added} pairs. Ask something, or retrain with F5.")
        elif choice == "import":
            await self._import()

    async def _leave(self) -> None:
        run = self._service.live_run
        if run is not None and not await self._show(
            Confirm(
                "A retraining is in progress",
                "It will stop with a checkpoint and can be resumed at the next start. Nothing is lost.",
                "Leave",
                "Stay",
            )
        ):
            return
        self._app.exit()

    # -- retraining --------------------------------------------------------------------------------
    async def _retrain(self) -> None:
        if self._service.live_run is not None:
            await self._training()
            return
        recipe = recipe_from(self._service.desk)
        found = self._service.preflight(recipe)
        if await self._show(PreflightDialog(found)):
            await self._service.start_run(recipe, unload_engine=found.unload_engine)
            self._app.chat.refresh_bindings()

    async def _training(self) -> None:
        runs = self._service.desk.runs.list(limit=1)
        if not runs:
            return
        choice = await self._show(TrainingScreen(runs[0], self._service.desk.runs.events(runs[0].id)))
        if choice == "verdict":
            await self._verdict(runs[0].id)
        elif (
            choice == "cancel"
            and self._service.live_run is not None
            and await self._show(
                Confirm(
                    "Cancel the retraining?",
                    "What was learned in this run is thrown away. Corrections and pairs stay.",
                    "Cancel the run",
                    "Let it run",
                    careful=True,
                )
            )
        ):
            await self._service.cancel_run()

    async def _verdict(self, run_id: int) -> None:
        run = self._service.desk.runs.get(run_id)
        if run.state not in RUN_OVER:
            sentence = (run.failure or {}).get("sentence") or f"Run {run.id} is {run.state}."
            log = (run.failure or {}).get("log")
            self._say(f"{sentence} Details: {log}" if log else str(sentence), trouble=run.state == "failed")
            return
        choice = await self._show(VerdictDialog(run, self._service.desk.runs.judged(run_id), self._service.active))
        if isinstance(choice, Override):
            reason: str | None = None
            if choice.needs_reason:
                reason = await self._show(
                    Ask(f"Use {choice.version} all the same?", "The check rejected it. Why? It is kept.", "Use it")
                )
                if reason is None:
                    return
            await self._service.activate(choice.version, reason)

    # -- versions ----------------------------------------------------------------------------------
    async def _versions(self) -> None:
        desk = self._service.desk
        choice = await self._show(VersionsScreen(overview(desk), lambda name: version_details(desk, name)))
        if choice is None:
            return
        if choice.version is None:
            await self._roll_back()
        elif choice.version != self._service.active:
            await self._activate(choice.version)

    async def _activate(self, version: str) -> None:
        name = "the bare base" if version == "base" else version
        row = None if version == "base" else self._service.desk.versions.get(version)
        run = None if row is None or row.run_id is None else self._service.desk.runs.get(row.run_id)
        if run is not None and run.verdict == "reject":
            reason = await self._show(
                Ask(f"Use {name}?", "The check rejected it. Why all the same? It is kept.", "Use it")
            )
            if reason is not None:
                await self._service.activate(version, reason)
        elif await self._show(Confirm(f"Activate {name}?", f"{name} answers from the next reply on.", "Activate")):
            await self._service.activate(version)

    async def _roll_back(self) -> None:
        target = self._service.desk.promotions.rollback_target()
        if target is None:
            raise DeskError("There is no earlier version to go back to.")
        name = "the bare base" if target == "base" else target
        text = f"{self._service.active} stops answering and {name} answers from the next reply on."
        if await self._show(Confirm(f"Roll back to {name}?", text, "Roll back")):
            await self._service.rollback()

    # -- data and settings -------------------------------------------------------------------------
    async def _import(self) -> None:
        chosen: tuple[Path, str | None] | None = await self._show(ImportDialog())
        if chosen is None:
            return
        result = await import_into(self._service, *chosen)
        sentence = f"{result.added} pairs added, {result.duplicates} were there already, {result.rejected} rejected."
        self._say(sentence + (f" Rejected rows: {result.rejects_file}" if result.rejects_file else ""))
        self._app.chat.refresh_list()

    async def _settings(self) -> None:
        before = self._service.settings
        await self._show(
            SettingsScreen(before, lambda key, value: self._service.desk.settings.set(key, value, self._service.who))
        )
        after = self._service.settings
        if asdict(before) != asdict(after):
            if after.theme in self._app.available_themes:
                self._app.theme = after.theme
            if (before.base, before.quantization) != (after.base, after.quantization):
                await self._service.keeper.restart()
            self._app.chat.refresh_status()
