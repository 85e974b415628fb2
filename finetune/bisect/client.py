"""The process that compares gradients, from the app's side. Needs no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.child import child_options, module_command
from bot.wire import LINE_LIMIT
from finetune.bisect.wire import Asked, Broke, Compared, Found, Said
from store.errors import OperatorError

SENTENCES = {
    "out-of-memory": "There is not enough memory to compare gradients. Nothing was changed, and the list by words "
    "stands. Close other programs or wait until the retraining is over, then try again.",
}
FAILED = (
    "The gradients could not be compared. Nothing was changed, and the list by words stands. Try again, or look at {}."
)
KILLED = -9  # the exit code of a process that the system killed, nearly always for want of memory


class GradientsFailed(OperatorError):
    """The gradients could not be compared."""


async def compare_gradients(asked: Asked, log: Path, done: Callable[[int], None]) -> list[float | None]:
    """The cosines of :class:`finetune.bisect.wire.Found`; *done* is told how many pairs are compared. What libraries
    print goes to the end of *log*. Cancelling ends the process at once.

    Raises :class:`GradientsFailed`."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *module_command("finetune.bisect.process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=descriptor,
            limit=LINE_LIMIT,
            **child_options(),
        )
    finally:
        os.close(descriptor)
    try:
        return await _talk(process, asked, log, done)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _talk(
    process: asyncio.subprocess.Process, asked: Asked, log: Path, done: Callable[[int], None]
) -> list[float | None]:
    assert process.stdin is not None
    assert process.stdout is not None
    kind = "failed"
    with contextlib.suppress(ConnectionError):  # it is gone already: its exit code says why
        process.stdin.write(msgspec.json.encode(asked) + b"\n")
        await process.stdin.drain()
    while line := await process.stdout.readline():
        match msgspec.json.decode(line, type=Said):
            case Compared(count):
                done(count)
            case Found(cosines):
                return list(cosines)
            case Broke(kind=kind):
                break
    if kind == "failed" and await process.wait() == KILLED:
        kind = "out-of-memory"
    raise GradientsFailed(SENTENCES.get(kind, FAILED.format(log)))
