"""Driving the app in tests: real keys, and waiting for what is to be seen instead of for time to pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App
from textual.pilot import Pilot

from tui.app import DeskloopApp
from tui.widgets.turns import BotTurn

STILL = 8  # looks in a row at which a picture that stands still is the same
TURNS = 2000  # of the event loop that a condition may take, at 5 ms each: a busy machine is no failure


async def wait_until(pilot: Pilot[Any], holds: Callable[[], object], what: str = "") -> None:
    """Let the app run until *holds*. Fails with *what* (and a picture in words) if it never does."""
    for _ in range(TURNS):
        await pilot.pause()
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"never came true: {what or holds}\n{screen_text(pilot.app)}")


def screen_text(app: App[Any]) -> str:
    """What the screen shows, as lines of text."""
    height = app.size.height
    shown = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in shown[:height])


def shows(app: App[Any], text: str) -> bool:
    """Whether *text* is to be seen; line breaks and runs of space don't count."""
    return " ".join(text.split()) in " ".join(screen_text(app).split())


def told(app: App[Any], text: str) -> bool:
    """Whether *text* was told in passing."""
    return any(text in notice.message for notice in app._notifications)


async def ready(app: DeskloopApp, pilot: Pilot[None]) -> None:
    """Wait until the engine answers and the first screen is the chat, with all that is looked up for it."""
    await wait_until(pilot, lambda: app.desk.engine.state.name == "ready" and app.screen is app.chat)
    await wait_until(pilot, lambda: not app.facts.stale)


async def say(app: DeskloopApp, pilot: Pilot[None], text: str) -> None:
    """Write *text*, send it and wait for the reply's end."""
    before = len(app.chat.query(BotTurn))
    await write(pilot, text)
    await pilot.press("enter")
    await wait_until(pilot, lambda: len(app.chat.query(BotTurn)) > before and app.chat.talk.current is None)


async def write(pilot: Pilot[None], text: str) -> None:
    """Type *text*."""
    await pilot.press(*("space" if character == " " else character for character in text))


def hurry(app: App[Any], *keys: str) -> None:
    """Press *keys* faster than the app can follow: all of them are in its queue before it looks at the first."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def settle(pilot: Pilot[Any]) -> None:
    """Let the app run until what it shows stays the same."""
    seen: list[str] = []

    def is_still() -> bool:
        seen.append(screen_text(pilot.app))
        return len(seen) > STILL and len(set(seen[-STILL:])) == 1

    await wait_until(pilot, is_still, "the screen stands still")
