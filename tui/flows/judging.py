"""Judging replies one after the other."""

from __future__ import annotations

from tui import requests as ask
from tui.flows.stage import Stage
from tui.screens.review import ReviewScreen


async def review(stage: Stage, _: ask.Review) -> None:
    """The review queue; from there, if wanted, to a reply in its conversation."""
    chosen = await stage.open(ReviewScreen(stage.desk, stage.judging, stage.drafts))
    if chosen is not None:
        stage.host.show_in_chat(chosen.conversation_id, chosen.id)
    stage.store_changed()
