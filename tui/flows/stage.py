"""What every flow needs: the app, the desk, a way to ask and a way to speak."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Protocol, TypeVar

from textual.app import App
from textual.screen import Screen

from store.errors import OperatorError
from tui.core import StoreChanged
from tui.core.crashes import explain
from tui.core.drafts import Drafts
from tui.core.facts import DeskFacts
from tui.core.judging import Judging
from tui.core.open_desk import OpenDesk
from tui.keymap import spoken
from tui.messages import News
from tui.screens.start import FirstChoice

Result = TypeVar("Result")


class Host(Protocol):
    """The app, as far as flows know it."""

    desk: OpenDesk
    facts: DeskFacts
    judging: Judging
    drafts: Drafts
    first_choice: FirstChoice | None

    @property
    def app(self) -> App[None]:
        """The app itself."""
        ...

    def broadcast(self, news: News) -> None:
        """Post *news* to every screen that is open."""
        ...

    def show_in_chat(self, conversation: int, at: int) -> None:
        """Leave every screen for the chat, and have it show a conversation from its turn *at* on."""
        ...


class Stage:
    """The app and the desk that flows are about. No flow reaches into a screen: it opens screens, awaits what they
    return, and broadcasts what became of it."""

    def __init__(self, host: Host) -> None:
        self.host, self.desk = host, host.desk
        self.facts, self.judging, self.drafts = host.facts, host.judging, host.drafts
        self._running: set[str] = set()

    @property
    def app(self) -> App[None]:
        """The app."""
        return self.host.app

    def take_first_choice(self) -> FirstChoice | None:
        """What was chosen before the desk was made, once."""
        choice, self.host.first_choice = self.host.first_choice, None
        return choice

    async def open(self, screen: Screen[Result]) -> Result:
        """Open a dialog or a screen, and wait for what it returns."""
        result: Result = await self.app.push_screen_wait(screen)
        return result

    def say(self, sentence: str, *, trouble: bool = False) -> None:
        """A sentence in passing; ``{desk.retrain}`` in it is the key of that action."""
        self.app.notify(
            spoken(self.app, sentence), severity="error" if trouble else "information", timeout=12 if trouble else 6
        )

    def store_changed(self) -> None:
        """Let everything that shows the desk read it again."""
        self.desk.changes.publish(StoreChanged())

    def runs(self, name: str) -> bool:
        """Whether the flow called *name* is in progress."""
        return name in self._running

    def begin(self, name: str, flow: Coroutine[None, None, None]) -> None:
        """Begin a flow as a worker of the app, so that it outlives its screen; one of this name that is in progress is
        not begun twice."""
        if name in self._running:
            flow.close()
            return
        self._running.add(name)
        self.app.run_worker(self._through(name, flow), name=name, exit_on_error=False)

    async def _through(self, name: str, flow: Coroutine[None, None, None]) -> None:
        """A flow that fails ends with its sentence; everything is as it was."""
        try:
            await flow
        except OperatorError as error:
            self.say(error.sentence, trouble=True)
        except Exception as error:
            self.say(explain(self.desk.home, error, "app", name), trouble=True)
        finally:
            self._running.discard(name)
            if self.app.is_running:
                self.app.screen.refresh_bindings()
