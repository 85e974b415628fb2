"""Judging replies one after the other."""

from __future__ import annotations

from store.records import Turn
from tui.flows.stage import Stage
from tui.screens.review import ReviewScreen


async def review(stage: Stage) -> None:
    """The review queue; from there, if wanted, to a reply in its conversation."""
    chosen: Turn | None = await stage.show(ReviewScreen(stage.service))
    if chosen is not None:
        await stage.chat.open(chosen.conversation_id, at=chosen.id)
    await stage.chat.follows.catch_up()
