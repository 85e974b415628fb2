"""The settings: shown, and followed."""

from __future__ import annotations

from store.settings import Settings
from tui.flows.stage import Stage
from tui.screens.settings import SettingsScreen


async def change_settings(stage: Stage) -> None:
    """Show the settings, and let what changed take effect."""
    before = stage.service.settings
    await stage.show(SettingsScreen(stage.service))
    await follow_settings(stage, before, stage.service.settings)


async def follow_settings(stage: Stage, before: Settings, after: Settings) -> None:
    """Load another model if the settings name one."""
    if (before.base, before.quantization) != (after.base, after.quantization):
        stage.say("The model is loaded anew with these settings.")
        await stage.service.keeper.restart()
    stage.chat.follows.refresh()
