"""The app: owns the open desk, and everything that concerns more than one screen."""

from __future__ import annotations

import re
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.widgets import Input
from textual.worker import WorkerFailed

from finetune.events import Done
from store.home import Home
from store.settings import Settings
from store.text import clean
from tui import requests as ask
from tui.actions import ActionsApp
from tui.beginning import BeginningApp
from tui.collector import LOOK_EVERY, QuietCollector
from tui.core import (
    DeskChange,
    DeskError,
    EngineChanged,
    Notice,
    RunProgress,
    SettingsChanged,
)
from tui.core.crashes import explain
from tui.core.drafts import Drafts
from tui.core.facts import DeskFacts
from tui.core.judging import Judging
from tui.core.open_desk import OpenDesk
from tui.flows.stage import Stage
from tui.keymap import keymap, spoken
from tui.keys import APP, key_name
from tui.messages import ConversationWanted, DeskChanged, KeysChanged, News
from tui.palette import DeskCommands
from tui.screens.chat import ChatScreen
from tui.screens.start import FirstChoice

BUSY_SECONDS = 3.0  # an operator waits for another app's writing, before a screen that stands still
NARROW = 100  # columns below which things stand one above the other
WIDE = 130  # columns from which on there is room for details beside a list


class DeskloopApp(ActionsApp):
    """One operator at one desk."""

    TITLE = "deskloop"
    CSS_PATH = "styles/deskloop.tcss"
    BINDINGS: ClassVar[list[BindingType]] = list(APP)
    COMMANDS = {DeskCommands}  # noqa: RUF012  # not Textual's own: its "Quit" would not ask about a live run
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-roomy"), (WIDE, "-wide")]  # noqa: RUF012

    def __init__(
        self, desk: OpenDesk, first_choice: FirstChoice | None = None, driver: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver)
        self.desk, self.first_choice = desk, first_choice
        self.facts, self.judging = DeskFacts(desk), Judging(desk)
        self.drafts = Drafts(desk.conversations)
        self.stage = Stage(self)
        self.chat = ChatScreen(desk, self.facts, self.judging, self.drafts)
        self.collector = QuietCollector()
        self._drafts_kept = False
        desk.wait_at_most(BUSY_SECONDS)
        self._unlisten = desk.changes.listen(self._heard)

    def _heard(self, change: DeskChange) -> None:
        self.post_message(DeskChanged(change))

    async def on_mount(self) -> None:
        """Draw first; the engine loads in the background."""
        if not self.is_headless:
            self.ending.watch()
        self._dress(self.desk.settings.now)
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
        self.desk.watch()
        self.request(ask.Begin())

    def _dress(self, settings: Settings) -> None:
        """Colours and keys as the settings have them."""
        if settings.theme in self.available_themes:
            self.theme = settings.theme
        self.key_changes = dict(settings.keys)
        self.set_keymap(keymap(settings.keys))
        self.broadcast(KeysChanged())

    def _keep_theme(self, theme: str) -> None:
        if theme != self.desk.settings.now.theme:
            try:
                self.desk.settings.change("theme", theme)
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
        """A sentence in passing. Never as markup: sentences quote what customers and files said."""
        super().notify(clean(message), title=title, severity=severity, timeout=timeout, markup=False)

    def on_desk_changed(self, event: DeskChanged) -> None:
        """Hand what changed to the screens, and say what an operator has to know."""
        change = event.change
        if isinstance(change, SettingsChanged):
            self._dress(change.after)
            self.request(ask.FollowSettings(change.before, change.after))
        self.broadcast(event)
        if isinstance(change, Notice):
            word = spoken(self, change.sentence)
            self.notify(word, severity="warning" if change.trouble else "information", timeout=10)
        elif isinstance(change, RunProgress) and isinstance(change.event.event, Done):
            self.request(ask.ReportEnd(change.event.run_id))
        elif isinstance(change, EngineChanged) and change.state.name == "failed":
            self.notify(change.state.sentence, severity="error", timeout=15)

    def broadcast(self, news: News) -> None:
        """Post *news* to every screen that is open."""
        for screen in self.screen_stack:
            screen.post_message(copy(news))

    def show_in_chat(self, conversation: int, at: int) -> None:
        """Leave every screen for the chat, and have it show a conversation from its turn *at* on."""
        while self.screen is not self.chat:
            self.screen.dismiss(None)
        self.chat.post_message(ConversationWanted(conversation, at))

    def leave_at_once(self, code: int) -> None:
        """Leave without asking or waiting for anything; a live run of this app stops with a checkpoint."""
        self.desk.runs.let_go()
        super().leave_at_once(code)

    def on_exit_app(self) -> None:
        """However the app is left, what is being written is there at the next start."""
        if self.chat.is_mounted and not self._drafts_kept:
            with suppress(DeskError):
                self.drafts.keep()
                self._drafts_kept = True

    def _handle_exception(self, error: Exception) -> None:
        """The app can't go on: textual shows what the error draws itself as, which here is a sentence. The rest is in
        the log."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        sentence = explain(self.desk.home, cause, "app", "app")
        vars(error)["__rich__"] = lambda: Text(clean(sentence))
        super()._handle_exception(error)

    async def on_unmount(self) -> None:
        """Stop the engine and close the desk."""
        self._unlisten()
        await self.facts.close()
        await self.desk.close()


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
    app = DeskloopApp(OpenDesk(Home.open(place.root)), choice)
    app.collector.begin()
    app.run()
    return app.return_code or 0
