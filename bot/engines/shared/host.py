"""The host of a shared engine: ``python -m bot.engines.shared.host``. It owns one back end, and answers everybody on
the desk who needs just this base.

It is nobody's child in the sense of the leash: it lives as long as somebody is connected, and a little longer. The back
end is its child, and the two live and die together: a host whose back end is gone tells those who wait and ends, a back
end whose host is gone ends by its leash, and whoever needs an engine then starts both again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from bot.engines import make_engine
from bot.engines.engine import Engine
from bot.engines.shared.desk import SharedDesk
from bot.engines.shared.finding import Lock, Place, listen, remove, tidy
from bot.engines.shared.guests import Door
from bot.traces import private_errors, private_loop
from bot.types import BaseSpec

LINGER = 5.0  # seconds without a client after which a host ends: long enough for the next `deskloop ask` of a script
TAKEN = 3  # exit code: another process is this host already


async def serve(place: Place, desk: SharedDesk, linger: float, lock: Lock) -> None:
    """Answer callers at *place*, whose *lock* is held, until nobody has been there for *linger* seconds or the back
    end is gone."""
    listening, token = listen(place)
    door = Door(place, token, desk, linger)
    opened = asyncio.start_server if token else asyncio.start_unix_server
    server = await opened(door.serve, sock=listening, limit=door.line_limit)
    tidy(place.folder, lock, place.name)
    try:
        await door.over.wait()
    finally:
        server.close()
        with contextlib.suppress(OSError):  # the next host does it
            remove(place)
        await door.close()
        await desk.close()


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--quantization", required=True)
    parser.add_argument("--digest")
    parser.add_argument("--back-end", required=True)
    parser.add_argument("--linger", type=float, default=LINGER)
    parser.add_argument("--loopback", action="store_true")
    return parser.parse_args()


async def main_async(chosen: argparse.Namespace) -> int:
    """Be the host, unless somebody is."""
    private_loop(asyncio.get_running_loop())
    place, lock = Place(chosen.folder, chosen.name, chosen.loopback), Lock(chosen.folder)
    if not lock.take(chosen.name):
        return TAKEN
    gone = asyncio.Event()
    engine: Engine = make_engine(log=chosen.log, on_death=gone.set, back_end=chosen.back_end)
    spec = BaseSpec(chosen.base, chosen.quantization, chosen.digest)
    await serve(place, SharedDesk(engine, spec, gone), chosen.linger, lock)
    return 0


def main() -> int:
    """Entry point of the process."""
    private_errors()
    os.umask(0o077)
    for number in (signal.SIGHUP, signal.SIGINT):  # of one client's terminal; the others go on
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.chdir("/")  # not where its first client happened to be, which somebody may want to unmount
    return asyncio.run(main_async(options()))


if __name__ == "__main__":
    sys.exit(main())
