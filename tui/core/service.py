"""DeskService: everything an operator can do, for the app and the command line alike."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from bot.bases.base import content_digest
from bot.engines.child import EngineProcess
from finetune.preflight import Preflight
from finetune.recipe import Recipe
from store.database import DeskBusy, DeskFull, DeskReadOnly
from store.desk import Desk
from store.errors import OperatorError
from store.home import Home
from store.records import AdapterVersion, Pair, Promotion, Run, RunEvent, Turn
from store.settings import Settings, operator_name, system_user
from tui.core.base import base_spec
from tui.core.chat import ChatDesk
from tui.core.checking import check_settings
from tui.core.errors import DeskError
from tui.core.events import DeskChange, EngineChanged, EngineState, Notice, ReplyEvent, SettingsChanged, StoreChanged
from tui.core.keeper import EngineFactory, EngineKeeper
from tui.core.reach import Anywhere, Reach
from tui.core.reading import DeskReader
from tui.core.runs import RunDesk
from tui.core.versions import VersionDesk

LOOK_EVERY = 0.5  # seconds between two looks for what other processes wrote to this desk


class DeskService:
    """One operator at one desk: the store, an engine, and at most one run of its own.

    ``home``: the desk's folder (None: the default). ``operator``: the name written beside every action (None: the
    desk's setting, else the system user). ``engine_factory``: called with ``log`` and ``on_death`` (None: an engine
    process). ``pin``: serve this version whatever the promotions log says (for one question, or an evaluation).
    ``reach``: where the paths may lead that the operator types (None: anywhere).
    Nothing here imports torch or textual. Use as an async context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        home: Home | Path | str | None = None,
        operator: str | None = None,
        engine_factory: EngineFactory | None = None,
        pin: str | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.reach: Reach = reach or Anywhere()
        self.home = home if isinstance(home, Home) else Home.open(home)
        self.desk = Desk.open(self.home)
        self.reader = DeskReader(self.home)
        self.desk.settings.check = check_settings
        self._file_as_read = self._look_of_file()
        try:
            self.desk.settings.take_file(self.home.settings_file, system_user())
        except (DeskBusy, DeskFull, DeskReadOnly):
            self._file_as_read = (-1,)  # what was taken before stays in force, and a desk that is full can be read
        self._problem_told: str | None = None
        self._settings_told = self.desk.settings.load()
        self.who = operator_name(operator or "") or operator_name(self._settings_told.operator) or system_user()
        self._listeners: list[Callable[[DeskChange], None]] = []
        self.engine_factory: EngineFactory = engine_factory or EngineProcess
        self.keeper = EngineKeeper(
            lambda: base_spec(self.desk),
            self.engine_factory,
            self.home.logs / "engine.log",
            changed=lambda state: self.tell(EngineChanged(state)),
            restore=self._restore,
        )
        self.chat = ChatDesk(self.desk, self.keeper, self.who)
        self.version_desk = VersionDesk(self.desk, self.keeper, self.who, self.tell, pin)
        self.run_desk = RunDesk(self.desk, self.reader, self.who, self.tell)
        self.run_desk.on_finished = self._run_finished
        self._refused: str | None = None
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- listeners ---------------------------------------------------------------------------------
    def listen(self, listener: Callable[[DeskChange], None]) -> Callable[[], None]:
        """Call *listener* with every :data:`DeskChange` from now on; returns the function that ends it.

        Listeners are called in the event loop's thread and must not block."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, change: DeskChange) -> None:
        """Hand *change* to every listener."""
        for listener in list(self._listeners):
            listener(change)

    # -- life --------------------------------------------------------------------------------------
    async def __aenter__(self) -> DeskService:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def start_engine(self) -> EngineState:
        """Load base and active version. Never raises: the returned state says what is missing or wrong."""
        await self.keeper.start()
        return self.engine_state

    def watch(self) -> None:
        """From now on follow what other processes do to this desk: promotions, runs, conversations."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._look(), name="watch-desk")

    async def _look(self) -> None:
        seen = self.desk.data_version()
        self.run_desk.follow()
        self._tell_file_problem()
        if (why := self.desk.db.read_only) is not None:
            self.tell(Notice(DeskReadOnly(self.home.database, why).sentence, trouble=True))
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self._look_at_file()
            if (now := self.desk.data_version()) != seen:
                seen = now
                self.tell(StoreChanged())
                self._settle()
            self.run_desk.follow()
            wanted = self.version_desk.wanted
            if self.keeper.state.name == "ready" and wanted not in (self.keeper.serving, self._refused):
                await self._quietly_sync()

    def _look_of_file(self) -> tuple[int, ...]:
        """What changes when somebody writes ``deskloop.toml``; nothing where there is none."""
        try:
            facts = self.home.settings_file.stat()
        except OSError:
            return ()
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _look_at_file(self) -> None:
        """Take ``deskloop.toml`` if it was written since the last look, or say what is wrong with it."""
        if (look := self._look_of_file()) == self._file_as_read:
            return
        self._file_as_read = look
        try:
            self.desk.settings.take_file(self.home.settings_file, self.who)
        except DeskError as error:
            self._file_as_read = (-1,)  # again at the next look
            self.tell(Notice(error.sentence, trouble=True))
            return
        self._tell_file_problem()
        self._settle()

    def _tell_file_problem(self) -> None:
        """Say what is wrong with ``deskloop.toml``, once."""
        problem = self.desk.settings.file().problem
        if problem and problem != self._problem_told:
            self.tell(Notice(problem, trouble=True))
        self._problem_told = problem

    def _settle(self) -> None:
        """Say so if the settings are others than before."""
        before, after = self._settings_told, self.settings
        if before != after:
            self._settings_told = after
            self.tell(SettingsChanged(before, after))

    async def _quietly_sync(self) -> None:
        try:
            await self.sync_active()
            self._refused = None
        except OperatorError as error:
            self._refused = self.version_desk.wanted  # said once, not every second
            self.tell(Notice(error.sentence, trouble=True))

    def _run_finished(self, run: Run) -> None:
        self._spawn(self._after_run())

    async def _after_run(self) -> None:
        if self.keeper.held:
            await self.keeper.reload()
        elif self.keeper.state.name == "ready":
            await self._quietly_sync()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop the engine, interrupt this app's live run (it is offered at the next start) unless it is detached,
        close the store."""
        for task in [self._watch, *self._tasks]:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self.run_desk.close()
        await self.keeper.close()
        self.reader.close()
        self.desk.close()

    # -- engine and chat ---------------------------------------------------------------------------
    @property
    def engine_state(self) -> EngineState:
        """Where the engine stands, with its sentence."""
        return self.keeper.state

    def send(self, conversation_id: int, text: str, preset: str | None = None) -> AsyncIterator[ReplyEvent]:
        """See :meth:`tui.core.chat.ChatDesk.send`."""
        return self.chat.send(conversation_id, text, preset)

    def regenerate(self, customer_turn_id: int, preset: str | None = None) -> AsyncIterator[ReplyEvent]:
        """See :meth:`tui.core.chat.ChatDesk.regenerate`."""
        return self.chat.regenerate(customer_turn_id, preset)

    async def stop(self) -> None:
        """Stop the reply that is being written."""
        await self.chat.stop()

    # -- judgements --------------------------------------------------------------------------------
    def correct(self, reply_id: int, text: str) -> Pair:
        """Keep the operator's better text for a reply. Raises :class:`DeskError`."""
        return self.desk.judgements.correct(reply_id, text, self.who)

    def approve(self, reply_id: int) -> Pair:
        """Keep the operator's word that a reply was good as it stood. Raises :class:`DeskError`."""
        return self.desk.judgements.approve(reply_id, self.who)

    def withdraw(self, reply_id: int) -> Turn:
        """Take back the judgement of a reply, until a run has used it. Raises :class:`DeskError`."""
        return self.desk.judgements.withdraw(reply_id, self.who)

    def waiting(self) -> int:
        """How many corrections wait for training."""
        return self.desk.judgements.waiting()

    # -- runs --------------------------------------------------------------------------------------
    async def preflight(self, recipe: Recipe) -> Preflight:
        """What a run with *recipe* would train on, need and take."""
        return await self.run_desk.preflight(recipe)

    async def start_run(self, recipe: Recipe, *, unload_engine: bool = False) -> Run:
        """Start a retraining. ``unload_engine`` frees the chat's memory for the length of the run."""
        return await self._begin_run(self.run_desk.start(recipe), unload_engine=unload_engine)

    async def _begin_run(self, run: Coroutine[None, None, Run], *, unload_engine: bool) -> Run:
        if unload_engine:
            await self.keeper.unload("The chat waits: its memory is lent to the retraining until that is done.")
        try:
            return await run
        except BaseException:
            if unload_engine:
                await self.keeper.reload()
            raise

    @property
    def live_run(self) -> Run | None:
        """The run in progress on this desk."""
        return self.run_desk.live

    def run_events(self, run_id: int) -> AsyncIterator[RunEvent]:
        """See :meth:`tui.core.runs.RunDesk.events`."""
        return self.run_desk.events(run_id)

    async def cancel_run(self) -> None:
        """Cancel the live run, whichever app started it."""
        await self.run_desk.cancel()

    async def stop_run(self) -> None:
        """Stop the live run, whichever app started it, with a checkpoint to resume it from."""
        await self.run_desk.interrupt()

    async def resume_run(self, run_id: int) -> Run:
        """Go on with an interrupted or failed run, which needs as much memory as at its start."""
        unload_engine = await self.run_desk.unloads_engine(run_id)
        return await self._begin_run(self.run_desk.resume(run_id), unload_engine=unload_engine)

    def discard_run(self, run_id: int) -> None:
        """Give an interrupted or failed run up, and free its files."""
        self.run_desk.discard(run_id)

    def interrupted(self) -> list[Run]:
        """Runs to be offered for resuming or discarding."""
        return self.run_desk.interrupted()

    # -- versions ----------------------------------------------------------------------------------
    @property
    def active(self) -> str:
        """The version the promotions log names: "base" or "vN"."""
        return self.version_desk.active

    def versions(self) -> list[AdapterVersion]:
        """Every adapter version of this desk whose files were not removed, oldest first."""
        removed = self.desk.versions.removed()
        return [row for row in self.desk.versions.list() if row.name not in removed]

    async def activate(self, version: str, reason: str | None = None) -> Promotion:
        """Make *version* ("base" or "vN") active, in the log and, if it runs, in the engine."""
        return await self._follow(await self.version_desk.promote(version, reason))

    async def rollback(self, reason: str | None = None) -> Promotion:
        """Go back to the version before the active one."""
        return await self._follow(await self.version_desk.roll_back(reason))

    async def _follow(self, promotion: Promotion) -> Promotion:
        if self.keeper.state.name in ("ready", "busy"):
            await self.sync_active()
        return promotion

    async def sync_active(self) -> str:
        """Let the engine follow the promotions log, between replies; returns what serves."""
        return await self.version_desk.sync()

    async def _note_base(self) -> None:
        """Decide what the base's name means, where that was never done: on desks of earlier deskloops, and for names
        that were set without a set-up. The engine has just loaded it."""
        with suppress(DeskError, OSError, sqlite3.Error):
            if self.desk.bases.get(name := self.settings.base) is None:
                folder = Path(base_spec(self.desk).folder)
                digest = await asyncio.to_thread(content_digest, folder)
                self.desk.bases.decide(name, folder, digest, None, self.who)

    async def _restore(self) -> None:
        await self._note_base()
        await self.version_desk.restore()

    # -- settings ----------------------------------------------------------------------------------
    @property
    def settings(self) -> Settings:
        """The desk's settings as they are now."""
        return self.desk.settings.load()

    def change_setting(self, key: str, value: object) -> Settings:
        """Change one setting; a string is read as the setting's own type. Raises :class:`DeskError`."""
        if key == "base":
            value = self.reach.base(str(value))
        settings = self.desk.settings.set(key, value, self.who)
        self._settle()
        return settings
