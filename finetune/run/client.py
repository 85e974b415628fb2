"""A run from the app's side: start it, resume it, let go of it, end it. Needs no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time

from bot.child import child_options, module_command
from finetune.files import RunFiles
from finetune.parent import warm_parent
from finetune.recipe import Recipe
from finetune.run.leash import DETACH
from store.desk import Desk
from store.errors import DeskError
from store.records import Run
from store.runs import LIVE, RunAlreadyLive, RunLock
from store.words import RunWish

# How long a run may take to end as it was asked to: a last checkpoint takes a while. After that its own app kills it.
END_SECONDS: dict[RunWish, float] = {"cancel": 8.0, "interrupt": 30.0}
LOOK_EVERY = 0.05  # seconds between two looks whether a process or a run has ended
ERASED = (
    "Run {0} can't be resumed: something it worked on was erased since, and its checkpoints with it. Discard it and "
    "start another retraining."
)


class RunProcess:
    """The process of a live run that this app started.

    Not asyncio's kind of child, which is killed with the loop that started it: this one may outlive the app."""

    def __init__(self, desk: Desk, run_id: int, process: subprocess.Popen[bytes]) -> None:
        self._desk, self.run_id, self._process = desk, run_id, process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def wait(self) -> Run:
        """Wait for its end, and make sure that the store says how it ended even if it was killed."""
        while self._process.poll() is None:  # noqa: ASYNC110  (a thread that waits could not be left behind)
            await asyncio.sleep(LOOK_EVERY)
        self.let_go()
        self._desk.runs.mark_interrupted()
        return self._desk.runs.get(self.run_id)

    async def end(self, wish: RunWish) -> Run:
        """Wait for the end it was asked for; a process that does not come to it is killed."""
        try:
            await asyncio.wait_for(self.wait(), END_SECONDS[wish])
        except TimeoutError:
            self._process.kill()
        return await self.wait()

    async def interrupt(self) -> Run:
        """Let it write a checkpoint and stop, to be resumed later."""
        self.let_go()
        return await self.end("interrupt")

    def detach(self) -> None:
        """Let it go on without this app; from now on it is like any other app's run."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(DETACH + b"\n")
            self._process.stdin.flush()
        self.let_go()

    def let_go(self) -> None:
        """Let it write a checkpoint and stop, without waiting for that."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()


async def end_run(desk: Desk, run_id: int, wish: RunWish, who: str) -> Run:
    """Ask a live run, whichever app started it, to end, and wait for that for as long as it may take.

    The returned run may still be live: then its process is busy and ends as soon as it looks up."""
    desk.runs.wish(run_id, wish, who)
    deadline = time.monotonic() + END_SECONDS[wish]
    while (run := desk.runs.get(run_id)).state in LIVE and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_EVERY)
        desk.runs.mark_interrupted()
    return run


async def start_run(desk: Desk, recipe: Recipe, who: str) -> RunProcess:
    """Start a run with *recipe*. Raises :class:`RunAlreadyLive` if one is live, in this app or another."""
    lock = _take_lock(desk)
    try:
        return _spawn(desk, desk.runs.create(recipe.to_dict(), warm_parent(desk, recipe), who), lock)
    finally:
        lock.release()


async def resume_run(desk: Desk, run_id: int, who: str) -> RunProcess:
    """Go on with a run that is :attr:`store.records.Run.resumable`. Raises :class:`RunAlreadyLive` or
    :class:`store.runs.WrongTransition`, and :class:`DeskError` for one that worked on what was erased since."""
    if desk.erasing.erased_from(run_id):
        raise DeskError(ERASED.format(run_id))
    lock = _take_lock(desk)
    try:
        return _spawn(desk, desk.runs.transition(run_id, "queued"), lock)
    finally:
        lock.release()


def discard_run(desk: Desk, run_id: int, who: str) -> Run:
    """Give an interrupted or failed run up and free its files. Raises :class:`store.runs.WrongTransition` if it is in
    another state."""
    run = desk.runs.transition(run_id, "cancelled")
    RunFiles.of(desk.home, run_id).drop_work()
    return run


def _take_lock(desk: Desk) -> RunLock:
    """The run lock, with runs that a crash left behind marked as interrupted first."""
    desk.db.check_writable()
    desk.runs.mark_interrupted()
    lock = RunLock(desk.home)
    if not lock.acquire():
        raise RunAlreadyLive
    return lock


def _spawn(desk: Desk, run: Run, lock: RunLock) -> RunProcess:
    log_path = RunFiles.of(desk.home, run.id).log
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [
                *module_command("finetune.run.worker"),
                "--home",
                str(desk.home.root),
                "--run",
                str(run.id),
                "--lock-fd",
                str(lock.fd),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Its standard input tells it that this app is gone; then it ends in its own time, or not at all.
            **child_options(leashed=False, pass_fds=(lock.fd,)),
        )
    except BaseException:
        failure = {"kind": "failed", "sentence": "The run could not be started.", "log": str(log_path)}
        desk.runs.transition(run.id, "failed", failure=failure)
        raise
    finally:
        os.close(log)
    return RunProcess(desk, run.id, process)
