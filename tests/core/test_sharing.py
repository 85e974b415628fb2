"""Two apps on one desk with one engine, which are real; the model is tiny."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from bot.engines.shared.finding import look
from store.desk import Desk
from tests.hosting import PATIENCE, comes
from tests.opened import engine_of, store_of
from tui.core import OpenDesk, ReplyFinished
from tui.core.doctor import examine
from tui.core.facts import DeskFacts


@pytest.fixture
async def apps(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[OpenDesk, OpenDesk]]:
    """Both, with their engine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Desk.open(tmp_path / "home") as desk:
        desk.settings.set("base", str(tiny), "ann")
        desk.settings.set("quantization", "fp32", "ann")
        desk.settings.set("faithful", {"max_new_tokens": 200}, "ann")
    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(OpenDesk(tmp_path / "home", operator=name, engine_factory=None))
            for name in ("ann", "jo")
        ]
        for state in await asyncio.gather(*map(engine_of, both)):
            assert state.name == "ready", state.sentence
        yield both[0], both[1]


def host_of(app: OpenDesk) -> int:
    pid = getattr(app.engine._engine, "pid", None)
    assert isinstance(pid, int)
    return pid


async def said(app: OpenDesk, text: str) -> ReplyFinished:
    """Ask, and how it ended."""
    conversation = store_of(app).conversations.create("tester").id
    ended = [event async for event in app.chat.send(conversation, text) if isinstance(event, ReplyFinished)]
    return ended[-1]


async def test_two_apps_share_one_engine_and_say_so(apps: tuple[OpenDesk, OpenDesk]) -> None:
    ann, jo = apps
    assert host_of(ann) == host_of(jo)
    for ended in await asyncio.gather(said(ann, "Where is my order?"), said(jo, "When do you open?")):
        assert ended.turn.reply is not None
        assert ended.turn.reply.state == "complete", ended.sentence
    facts = DeskFacts(ann)
    await comes(lambda: ann.engine.clients == 2)  # with the next beat, at the latest
    assert facts._status().clients == 2
    found = next(check for check in examine(store_of(ann)) if check.name == "engine")
    assert found.ok
    assert f"Process {host_of(ann)} serves 2 clients" in found.finding
    assert "one copy of the model (llama in fp32)" in found.finding
    await facts.close()


async def test_a_killed_engine_comes_back_for_both_and_what_was_said_is_kept(apps: tuple[OpenDesk, OpenDesk]) -> None:
    ann, jo = apps
    before = host_of(ann)
    conversation = store_of(ann).conversations.create("tester").id
    shown, last = "", None
    async for event in ann.chat.send(conversation, "Where is my order?"):
        if isinstance(event, ReplyFinished):
            last = event
        elif text := getattr(event, "text", ""):
            if not shown:
                os.kill(before, signal.SIGKILL)
            shown += text
    assert last is not None
    assert last.turn.reply is not None
    assert last.turn.reply.state in ("failed", "complete")
    assert last.turn.text.startswith(shown.strip()[:5])
    await comes(lambda: all(app.engine.state.name == "ready" and host_of(app) != before for app in apps))
    assert host_of(ann) == host_of(jo)
    again = await said(jo, "When do you open?")
    assert again.turn.reply is not None
    assert again.turn.reply.state == "complete", again.sentence


async def test_the_memory_that_a_retraining_needs_is_free_at_once(apps: tuple[OpenDesk, OpenDesk]) -> None:
    ann, jo = apps
    host = psutil.Process(host_of(ann))
    processes = [host, *host.children(recursive=True)]
    await ann.engine.unload("The chat waits.")
    assert host.is_running()  # the other app goes on
    again = await said(jo, "When do you open?")
    assert again.turn.reply is not None
    assert again.turn.reply.state == "complete", again.sentence
    await jo.engine.unload("The chat waits.")
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, PATIENCE)
    assert alive == []
    assert await look(ann.home.engine) == []
    nothing = next(check for check in examine(store_of(ann)) if check.name == "engine")
    assert (nothing.ok, nothing.finding[:10]) == (True, "None runs.")
