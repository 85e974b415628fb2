"""Hosts of a shared engine inside a test's process, whose back end the test has in its hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.engines.scripted import Script, ScriptedEngine
from bot.engines.shared import words
from bot.engines.shared.desk import SharedDesk
from bot.engines.shared.finding import Lock, Place, private
from bot.engines.shared.host import serve
from bot.types import BaseSpec

PATIENCE = 60.0  # seconds for anything that has to come


async def comes(true: Callable[[], object] | Callable[[], Awaitable[object]]) -> None:
    """Wait until it is *true*."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = true()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)


def place_of(folder: Path, spec: BaseSpec) -> Place:
    """Where the host of *spec* is found."""
    return Place.of(folder, words.name_of(words.known(spec), "torch"))


@asynccontextmanager
async def running(folder: Path, shared: SharedDesk, linger: float = PATIENCE) -> AsyncIterator[None]:
    """A host, which ends *linger* seconds after its last client."""
    assert private(folder)
    place, lock = place_of(folder, shared.spec), Lock(folder)
    assert lock.take(place.name)
    host = asyncio.create_task(serve(place, shared, linger, lock))
    await comes(place.socket.exists)
    yield
    shared.gone.set()
    await host
    assert not place.socket.exists()


@asynccontextmanager
async def scripted_host(
    folder: Path, spec: BaseSpec, script: Script, linger: float = PATIENCE
) -> AsyncIterator[ScriptedEngine]:
    """A host whose back end is scripted."""
    gone = asyncio.Event()
    engine = script(log=Path("engine.log"), on_death=gone.set)
    async with running(folder, SharedDesk(engine, words.known(spec), gone), linger):
        yield engine
