"""The command palette: every action of the chat by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import APP, CHAT


class DeskCommands(Provider):
    """Finds the actions that can be done where the operator is."""

    def _actions(self) -> list[Binding]:
        found = []
        for active in self.screen.active_bindings.values():
            if active.binding in CHAT + APP and active.enabled and active.binding not in found:
                found.append(active.binding)
        return found

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Everything there is."""
        for binding in self._actions():
            yield DiscoveryHit(binding.description, partial(self._do, binding), help=binding.tooltip)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for binding in self._actions():
            if (score := matcher.match(binding.description)) > 0:
                yield Hit(
                    score, matcher.highlight(binding.description), partial(self._do, binding), help=binding.tooltip
                )

    async def _do(self, binding: Binding) -> None:
        await self.app.run_action(binding.action, self.screen)
