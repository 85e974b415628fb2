"""The settings: shown, and followed."""

from __future__ import annotations

from tui import requests as ask
from tui.flows.stage import Stage
from tui.screens.settings import SettingsScreen


async def show_settings(stage: Stage, _: ask.ShowSettings) -> None:
    """Show the settings, and let what changed take effect."""
    before = stage.desk.settings.now
    await stage.open(SettingsScreen(stage.desk))
    await follow_settings(stage, ask.FollowSettings(before, stage.desk.settings.now))


async def follow_settings(stage: Stage, request: ask.FollowSettings) -> None:
    """Load another model if the settings name one."""
    before, after = request.before, request.after
    if (before.base, before.quantization) != (after.base, after.quantization):
        stage.say("The model reloads with these settings.")
        await stage.desk.engine.restart()
    stage.store_changed()
