"""A client of a shared engine in a process of its own, for ``test_engine_shared.py``: it makes a version ready, asks it
something endless, says when text comes, and is killed by who started it.

    python -m tests.bot.sharing FOLDER BASE ADAPTER"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.child import say
from bot.engines import make_engine
from bot.engines.shared.client import SharedEngines
from bot.types import AdapterRef, BaseSpec, Decoding, Prompt, Ticket
from store.words import Version

ENDLESS = Decoding(do_sample=True, max_new_tokens=4096, seed=1)


async def main(folder: Path, base: str, adapter: str) -> None:
    """Ask without end."""
    engine = SharedEngines(folder, make_engine, linger=0.3)(log=folder.parent / "engine.log")
    await engine.load(BaseSpec(base, "fp32"))
    assert engine.shared
    await engine.ready(AdapterRef(Version("v1"), adapter))
    async for _ in engine.stream(Ticket(Version("v1")), Prompt("", (), "Hello"), ENDLESS):
        say(str(engine.pid))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
