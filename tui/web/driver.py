"""The app's side of a browser: what textual's web driver does, and what deskloop needs besides.

Taken up again by another connection, the app draws all of its screen. Gone is the server, the app leaves. A browser is
given a picture and nothing else: no address to open, no file to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size
from textual.message import Message

from tui.terminal.ending import Ending

if TYPE_CHECKING:
    from tui.app import DeskloopApp

REDRAW = "redraw"  # the server's word for a new connection, with its size


class DeskWebDriver(WebDriver):
    """Draws into the pipe to ``deskloop serve``."""

    def run_input_thread(self) -> None:
        """Read what the server sends, until it is gone."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._loop.call_soon_threadsafe(self._ending.terminal_gone)

    @property
    def _ending(self) -> Ending:
        """How this app leaves in order: what is being written is kept."""
        return cast("DeskloopApp", self._app).ending

    def write(self, data: str) -> None:
        """Draw. A server that is gone takes nothing, and the app is leaving then."""
        try:
            super().write(data)
        except BrokenPipeError:
            self.exit_event.set()

    def write_meta(self, data: dict[str, object]) -> None:
        """Tell the server."""
        try:
            super().write_meta(data)
        except BrokenPipeError:
            self.exit_event.set()

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Another connection took the session up; everything else is textual's."""
        if packet_type == REDRAW:
            size = Size(int(str(payload["width"])), int(str(payload["height"])))
            self._loop.call_soon_threadsafe(self._draw_anew, size)
        elif packet_type == "quit":
            self._loop.call_soon_threadsafe(self._ending.end, 0)
        elif packet_type != "deliver_chunk_request":
            super().on_meta(packet_type, payload)

    def _draw_anew(self, size: Size) -> None:
        """Everything that a terminal which knows nothing has to be told."""
        self.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        self._enable_mouse_support()
        self._enable_bracketed_paste()
        self._size = (size.width, size.height)
        self._app.post_message(events.Resize(size, size))
        self._app.refresh(layout=True)

    def process_message(self, message: Message) -> None:
        """What the browser's keyboard says; sizes come by a way of their own, where they are bounded."""
        if not isinstance(message, events.Resize):
            super().process_message(message)

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Nothing is opened."""

    def deliver_binary(self, *_: Any, **__: Any) -> None:
        """Nothing is delivered: files stay in the desk's folder."""
