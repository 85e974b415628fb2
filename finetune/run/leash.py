"""The leash on which an app holds the run it started: the run's standard input.

Its end means that the app is gone, and the run is interrupted, to be resumed or discarded; unless the app said
:data:`DETACH` first: then the run goes on alone."""

from __future__ import annotations

import asyncio
import sys

from finetune.run.wishes import Wishes

DETACH = b"detach"  # said on the leash: go on without this app


async def watch_leash(wishes: Wishes) -> None:
    """Read standard input to its end, or until the app lets the run go on alone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip() == DETACH:
            return
    wishes.make("interrupt")
