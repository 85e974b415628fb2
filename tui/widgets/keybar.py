"""The keys of the moment, as many as fit."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

SPACE, GAP = 1, 2  # columns between key and name, and behind the name; as in the styles


class KeyBar(Footer):
    """A footer that shows whole keys only. Those that don't fit are in the help, which stands first."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        """The keys, in the order of :mod:`tui.keys`, up to the right edge."""
        order = [binding.action for _, binding in self.screen._bindings]
        keys = [child for child in super().compose() if isinstance(child, FooterKey)]
        keys.sort(key=lambda child: order.index(child.action) if child.action in order else len(order))
        room = self.app.size.width
        for child in keys:
            room -= len(child.key_display) + SPACE + len(child.description)
            if room < 0:
                return
            yield child
            room -= GAP

    async def on_resize(self) -> None:
        """Another width, other keys."""
        await self.recompose()
