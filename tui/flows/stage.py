"""What every story needs: the app, the desk, a way to ask and a way to speak."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from textual.app import App

from store.errors import OperatorError
from tui.core import DeskService
from tui.core.crashes import explain
from tui.keymap import spoken
from tui.screens.chat import ChatScreen
from tui.screens.start import FirstChoice


class Host(Protocol):
    """The app, as far as stories know it."""

    chat: ChatScreen
    first_choice: FirstChoice | None

    @property
    def app(self) -> App[object]:
        """The app itself."""
        ...


class Stage:
    """The app and the desk a story is about."""

    def __init__(self, host: Host, service: DeskService) -> None:
        self._host, self.service = host, service
        self._told: set[str] = set()

    @property
    def app(self) -> App[Any]:
        """The app."""
        return self._host.app

    @property
    def chat(self) -> ChatScreen:
        """The chat, whether it is on top or not."""
        return self._host.chat

    def take_first_choice(self) -> FirstChoice | None:
        """What was chosen before the desk was made, once."""
        choice, self._host.first_choice = self._host.first_choice, None
        return choice

    async def show(self, dialog: Any) -> Any:
        """Show a dialog or a screen, and wait for what it returns."""
        return await self.app.push_screen_wait(dialog)

    def say(self, sentence: str, *, trouble: bool = False) -> None:
        """Tell the operator something in passing; ``{desk.retrain}`` in it is the key of that action."""
        self.app.notify(
            spoken(self.app, sentence), severity="error" if trouble else "information", timeout=12 if trouble else 6
        )

    def tell(self, name: str, story: Awaitable[None]) -> None:
        """Begin a story; one that is being told already isn't told twice."""
        if name in self._told:
            if hasattr(story, "close"):
                story.close()
            return
        self._told.add(name)
        self.app.run_worker(self._through(name, story), name=name, exit_on_error=False)

    async def _through(self, name: str, story: Awaitable[None]) -> None:
        """A story that fails ends with its sentence; everything is as it was."""
        try:
            await story
        except OperatorError as error:
            self.say(error.sentence, trouble=True)
        except Exception as error:
            self.say(explain(self.service.home, error, "app", name), trouble=True)
        finally:
            self._told.discard(name)
            if self.chat.is_mounted:
                self.chat.refresh_bindings()
