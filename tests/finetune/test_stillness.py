"""A training process that stands still is told of, and so is that it moves again."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from finetune.launch import stillness
from finetune.launch.stillness import MOVING, STILL, report_stillness


async def test_a_process_that_was_stopped_is_told_of_and_so_is_that_it_goes_on() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
    told: asyncio.Queue[str] = asyncio.Queue()
    watching = asyncio.create_task(report_stillness(process.pid, told.put_nowait, every=0.05, looks=20))
    try:
        process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(60):
            assert await told.get() == STILL.format(minutes=0)
            process.send_signal(signal.SIGCONT)
            assert await told.get() == MOVING
            process.kill()
            await process.wait()
            await watching  # it ends with the process
    finally:
        watching.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_is_told_once_and_one_that_computes_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, *[0.5 * n for n in range(1, 40)], *[20.0] * 30, None])
    monkeypatch.setattr(stillness, "_processor_seconds", lambda pid: next(seconds))
    told: list[str] = []
    await report_stillness(1, told.append, every=0.0, looks=12)
    assert told == [STILL.format(minutes=0)]
