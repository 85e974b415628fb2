"""The command palette: every action by name."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import key_name

TYPING = (
    "composer.",
    "transcript.",
    "conversations.",
    "rows.",
    "desk.mark",
    "desk.write",
    "dialog.",
)  # keys, but no commands


class DeskCommands(Provider):
    """Finds the actions that can be done where the operator is; those of the keys, and the choice of colours."""

    def _actions(self) -> dict[str, tuple[str, str]]:
        """Name, to what it does and the action."""
        found: dict[str, tuple[str, str]] = {}
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if binding.id is None or binding.id.startswith(TYPING):
                continue
            if binding.tooltip and active.enabled and binding.description not in found:
                found[binding.description] = (f"{key_name(key)}: {binding.tooltip}", binding.action)
        return found | {"Colours": ("Choose the colours of the app", "app.change_theme")}

    async def discover(self) -> Hits:
        """Everything there is."""
        for name, (help_text, action) in self._actions().items():
            yield DiscoveryHit(name, partial(self._do, action), help=help_text)

    async def search(self, query: str) -> Hits:
        """What matches, by its name or by what it does."""
        matcher = self.matcher(query)
        for name, (help_text, action) in self._actions().items():
            score = max(matcher.match(name), matcher.match(help_text) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(name), partial(self._do, action), help=help_text)

    async def _do(self, action: str) -> None:
        await self.app.run_action(action, self.screen, {"screen": self.screen})
