"""The app: owns the desk's service, and everything that concerns more than one screen."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.widgets import Input
from textual.worker import WorkerFailed

from finetune.endings import JUDGED
from finetune.events import Done
from store.home import Home
from store.settings import Settings
from store.text import clean
from tui.beginning import BeginningApp
from tui.collector import LOOK_EVERY, QuietCollector
from tui.core import (
    DeskChange,
    DeskError,
    DeskService,
    EngineChanged,
    Notice,
    RunProgress,
    SettingsChanged,
    StoreChanged,
)
from tui.core.crashes import explain
from tui.flows import Flows
from tui.keymap import keymap
from tui.keys import APP, key_name
from tui.messages import DeskChanged
from tui.palette import DeskCommands
from tui.screens.chat import ChatScreen
from tui.screens.conflicts import ConflictsScreen
from tui.screens.help import HelpDialog
from tui.screens.pairs import PairsScreen
from tui.screens.review import ReviewScreen
from tui.screens.settings import SettingsScreen
from tui.screens.start import FirstChoice
from tui.screens.training import TrainingScreen
from tui.screens.versions import VersionsScreen
from tui.terminal.app import TerminalApp
from tui.widgets.status import StatusBar

FOLLOWING = (ReviewScreen, PairsScreen, ConflictsScreen)  # screens that show at once what others write to the desk
BUSY_SECONDS = 3.0  # an operator waits for another app's writing, before a screen that stands still
NARROW = 100  # columns below which things stand one above the other
WIDE = 130  # columns from which on there is room for details beside a list


class DeskloopApp(TerminalApp[None]):
    """One operator at one desk."""

    TITLE = "deskloop"
    CSS_PATH = "styles/deskloop.tcss"
    BINDINGS: ClassVar[list[BindingType]] = list(APP)
    COMMANDS = {DeskCommands}  # noqa: RUF012  # not Textual's own: its "Quit" would not ask about a live run
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-roomy"), (WIDE, "-wide")]  # noqa: RUF012

    def __init__(
        self, service: DeskService, first_choice: FirstChoice | None = None, driver: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver)
        self.service, self.first_choice = service, first_choice
        self.flows = Flows(self, service)
        self.chat = ChatScreen(service)
        self.collector = QuietCollector()
        self._drafts_kept = False
        service.desk.db.wait_at_most(BUSY_SECONDS)
        self._unlisten = service.listen(self._heard)

    def _heard(self, change: DeskChange) -> None:
        self.post_message(DeskChanged(change))

    async def on_mount(self) -> None:
        """Draw first; the engine loads behind the first picture."""
        if not self.is_headless:
            self.ending.watch()
        self._dress(self.service.settings)
        self.watch(self, "theme", self._keep_theme, init=False)
        await self.push_screen(self.chat)
        self.set_interval(LOOK_EVERY, self.collector.look)
        self.call_after_refresh(self._begin)

    async def on_event(self, event: events.Event) -> None:
        """Every key and click comes by here first."""
        if isinstance(event, events.InputEvent):
            self.collector.touched()
        if isinstance(event, events.Paste) and not event.is_forwarded:
            text = clean(event.text)  # many lines stay many lines; what could steer a terminal goes
            event = events.Paste(one_line(text) if isinstance(self.focused, Input) else text)
        await super().on_event(event)

    def _begin(self) -> None:
        self.service.watch()
        self.flows.tell("start")

    def _dress(self, settings: Settings) -> None:
        """Colours and keys as the settings have them."""
        if settings.theme in self.available_themes:
            self.theme = settings.theme
        self.key_changes = dict(settings.keys)
        self.set_keymap(keymap(settings.keys))
        if self.chat.is_mounted:
            self.chat.name_keys()

    def _keep_theme(self, theme: str) -> None:
        if theme != self.service.settings.theme:
            try:
                self.service.change_setting("theme", theme)
            except DeskError as error:
                self.notify(error.sentence, severity="warning")

    def get_key_display(self, binding: Binding) -> str:
        """A key as this app's sentences write it, also where the settings gave it."""
        return binding.key_display or key_name(binding.key)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Tell something in passing. Never as markup: sentences quote what customers and files said."""
        super().notify(clean(message), title=title, severity=severity, timeout=timeout, markup=False)

    async def on_desk_changed(self, event: DeskChanged) -> None:
        """Hand what changed to the screens, and say what an operator has to know."""
        change = event.change
        if not self.chat.query(StatusBar):
            return  # the app is being left, and what it showed is gone already
        await self.chat.follows.changed(change)
        if isinstance(change, Notice):
            self.notify(change.sentence, severity="warning" if change.trouble else "information", timeout=10)
        elif isinstance(change, RunProgress):
            for screen in self.screen_stack:
                if isinstance(screen, TrainingScreen):
                    screen.add(change.event)
            if isinstance(change.event.event, Done):
                self.flows.run_ended(change.event.run_id)
        elif isinstance(change, StoreChanged) and isinstance(self.screen, FOLLOWING):
            await self.screen.follow()
        elif isinstance(change, SettingsChanged):
            self._dress(change.after)
            if isinstance(self.screen, SettingsScreen):
                self.screen.follow(change.after)
            else:
                self.flows.settings_changed(change.before, change.after)
        elif isinstance(change, EngineChanged) and change.state.name == "failed":
            self.notify(change.state.sentence, severity="error", timeout=15)

    # -- actions of several screens ----------------------------------------------------------------
    def action_tell(self, story: str) -> None:
        """Begin one of the stories of :mod:`tui.flows`."""
        self.flows.tell(story)

    def action_help(self) -> None:
        """What the keys do here."""
        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(self.screen))

    def action_leave(self) -> None:
        """Leave; a live run is asked about first."""
        self.flows.tell("leave")

    @on(VersionsScreen.Wanted)
    def _activate(self, event: VersionsScreen.Wanted) -> None:
        self.flows.activate(event.version)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        if action != "tell":
            return True
        shown = self.screen.run_id if isinstance(self.screen, TrainingScreen) else None
        match parameters[0]:
            case "retrain":
                return self.service.live_run is None
            case "cancel_run" | "stop_run":
                live = self.service.live_run
                return live is not None and shown in (None, live.id)
            case "training":
                return bool(self.service.desk.runs.list(limit=1))
            case "verdict":
                runs = self.service.desk.runs
                return any(run.state in JUDGED for run in (runs.list(limit=1) if shown is None else [runs.get(shown)]))
            case "roll_back":
                return self.service.desk.promotions.rollback_target() is not None
        return True

    def leave_at_once(self, code: int) -> None:
        """Leave without asking or waiting for anything; a live run of this app stops with a checkpoint."""
        self.service.run_desk.let_go()
        super().leave_at_once(code)

    def on_exit_app(self) -> None:
        """However the app is left, what is being written is there at the next start."""
        if self.chat.is_mounted and not self._drafts_kept:
            with suppress(DeskError):
                self.chat.keep_drafts()
                self._drafts_kept = True

    def _handle_exception(self, error: Exception) -> None:
        """The app can't go on: textual shows what the error draws itself as, which here is a sentence. The rest is in
        the log."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        sentence = explain(self.service.home, cause, "app", "app")
        vars(error)["__rich__"] = lambda: Text(clean(sentence))
        super()._handle_exception(error)

    async def on_unmount(self) -> None:
        """Stop the engine and close the desk."""
        self._unlisten()
        await self.service.close()


def one_line(text: str) -> str:
    """*text* for where only one line can be written."""
    return re.sub(r"[\n\t]+", " ", text).strip()


def run_app(home: Path | str | None = None, *, create: bool = False) -> int:
    """Open the app on the desk at *home* and stay until it is left; returns the exit code. Where there is no desk, one
    is made as soon as somebody chose what it shall begin with, or at once with *create*.

    Raises :class:`DeskError` for a desk that can't be opened, or a folder that is something else."""
    place, choice = Home(Home.place(home)), None
    if not create and not place.begun():
        place.check_free()
        beginning = BeginningApp(place.root)
        choice = beginning.run()
        if choice is None:
            return beginning.return_code or 0
    app = DeskloopApp(DeskService(Home.open(place.root)), choice)
    app.collector.begin()
    app.run()
    return app.return_code or 0
