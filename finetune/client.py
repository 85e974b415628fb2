"""A run from the app's side: start it, resume it, give it up. Needs no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os

from bot.child import module_command
from finetune.files import RunFiles
from finetune.preflight import warm_parent
from finetune.recipe import Recipe
from store.desk import Desk
from store.records import Run
from store.runs import RunAlreadyLive, RunLock

CANCEL_SECONDS = 8.0  # after this a run process that was asked to cancel is killed
INTERRUPT_SECONDS = 30.0  # enough for a last checkpoint


class RunProcess:
    """The process of a live run that this app started."""

    def __init__(self, desk: Desk, run_id: int, process: asyncio.subprocess.Process) -> None:
        self._desk, self.run_id, self._process = desk, run_id, process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def wait(self) -> Run:
        """Wait for its end, and make sure that the store says how it ended even if it was killed."""
        await self._process.wait()
        self._desk.runs.mark_interrupted()
        return self._desk.runs.get(self.run_id)

    async def cancel(self) -> Run:
        """Give the run up; within a few seconds nothing of it is left but its row and log."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):
            self._process.stdin.write(b"cancel\n")
            await self._process.stdin.drain()
        return await self._end(CANCEL_SECONDS)

    async def interrupt(self) -> Run:
        """Let it write a checkpoint and stop, to be resumed later."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self._end(INTERRUPT_SECONDS)

    async def _end(self, seconds: float) -> Run:
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        return await self.wait()


async def start_run(desk: Desk, recipe: Recipe, who: str) -> RunProcess:
    """Start a run with *recipe*. Raises :class:`RunAlreadyLive` if one is live, in this app or another."""
    lock = _take_lock(desk)
    try:
        return await _spawn(desk, desk.runs.create(recipe.to_dict(), warm_parent(desk, recipe), who), lock)
    finally:
        lock.release()


async def resume_run(desk: Desk, run_id: int, who: str) -> RunProcess:
    """Go on with an interrupted run. Raises :class:`RunAlreadyLive` or :class:`store.WrongTransition`."""
    lock = _take_lock(desk)
    try:
        return await _spawn(desk, desk.runs.transition(run_id, "queued"), lock)
    finally:
        lock.release()


def discard_run(desk: Desk, run_id: int, who: str) -> Run:
    """Give an interrupted run up. Raises :class:`store.WrongTransition` if it is in another state."""
    run = desk.runs.transition(run_id, "cancelled")
    RunFiles.of(desk.home, run_id).drop_work()
    return run


def _take_lock(desk: Desk) -> RunLock:
    """The run lock, with runs that a crash left behind marked as interrupted first."""
    desk.runs.mark_interrupted()
    lock = RunLock(desk.home)
    if not lock.acquire():
        raise RunAlreadyLive("A run is live on this desk already.")
    return lock


async def _spawn(desk: Desk, run: Run, lock: RunLock) -> RunProcess:
    log = os.open(RunFiles.of(desk.home, run.id).log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *module_command("finetune.worker"),
            "--home",
            str(desk.home.root),
            "--run",
            str(run.id),
            "--lock-fd",
            str(lock.fd),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(lock.fd,),
            process_group=0,  # Ctrl-C is for the app; not a session, beside which Linux would not heed niceness
        )
    except BaseException:
        desk.runs.transition(run.id, "failed", failure={"kind": "failed", "sentence": "The run could not be started."})
        raise
    finally:
        os.close(log)
    return RunProcess(desk, run.id, process)
