"""The app: owns the desk's service, and everything that concerns more than one screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import App
from textual.binding import BindingType

from store.home import Home
from tui.core import DeskChange, DeskService, EngineChanged, Notice, RunProgress
from tui.flows import Flows
from tui.keys import APP
from tui.messages import DeskChanged
from tui.palette import DeskCommands
from tui.screens.chat import ChatScreen
from tui.screens.help import HelpDialog
from tui.screens.training import TrainingScreen


class DeskloopApp(App[None]):
    """One operator at one desk."""

    TITLE = "deskloop"
    CSS_PATH = "styles/deskloop.tcss"
    BINDINGS: ClassVar[list[BindingType]] = list(APP)
    COMMANDS = App.COMMANDS | {DeskCommands}

    def __init__(self, service: DeskService) -> None:
        super().__init__()
        self.service = service
        self.flows = Flows(self, service)
        self.chat = ChatScreen(service)
        self._unlisten = service.listen(self._tell)

    def _tell(self, change: DeskChange) -> None:
        self.post_message(DeskChanged(change))

    async def on_mount(self) -> None:
        """Draw first; the engine loads behind the first picture."""
        theme = self.service.settings.theme
        if theme in self.available_themes:
            self.theme = theme
        await self.push_screen(self.chat)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.service.watch()
        self.flows.start()

    async def on_desk_changed(self, event: DeskChanged) -> None:
        """Hand what changed to the screens, and say what an operator has to know."""
        change: DeskChange = event.change
        await self.chat.on_desk_changed(event)
        if isinstance(change, Notice):
            severity = "warning" if change.trouble else "information"
            self.notify(change.sentence, severity=severity, markup=False, timeout=10)  # type: ignore[arg-type]
        elif isinstance(change, RunProgress):
            if isinstance(self.screen, TrainingScreen):
                self.screen.tell(change.event)
            if change.event.kind == "done":
                self.flows.run_ended(change.event.run_id)
        elif isinstance(change, EngineChanged) and change.state.name == "failed":
            self.notify(change.state.sentence, severity="error", markup=False, timeout=15)

    @on(ChatScreen.Asked)
    def _asked(self, event: ChatScreen.Asked) -> None:
        self.flows.do(event.what)

    def action_help(self) -> None:
        """What the keys do here."""
        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(self.screen))

    def action_leave(self) -> None:
        """Leave; a live run is asked about first."""
        self.flows.leave()

    async def on_unmount(self) -> None:
        """Stop the engine and close the desk."""
        self._unlisten()
        await self.service.close()


def run_app(home: Home | Path | str | None = None, **options: Any) -> None:
    """Open the app on the desk at *home* and stay until it is left."""
    DeskloopApp(DeskService(home, **options)).run()
