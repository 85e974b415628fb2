"""The run process: ``python -m finetune.run.worker --home H --run N --lock-fd F``. Needs no torch itself.

It takes one run through its steps and writes how it ended. Its child is the training. Then the engine that serves the
chat measures the new version and judges it, or, where none with this base runs, one of the run's own, which is a child
as well. What matters is in the store; a look there tells how far it is. What operators want of the run is heard in
every phase (``wishes``, ``leash``), and nothing is half done by that, since a run publishes in one rename and promotes
in one transaction.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial

from bot.engines import share_engine
from bot.traces import print_trace, private_errors, private_loop
from bot.types import EngineError
from finetune.events import Failed, TroubleFound
from finetune.failures import SENTENCES, kind_of
from finetune.run.conclude import conclude
from finetune.run.context import RunContext
from finetune.run.judge import Judgement, course_of, judge
from finetune.run.leash import watch_leash
from finetune.run.prepare import prepare
from finetune.run.publish import publish_candidate
from finetune.run.replay import replayed
from finetune.run.serving import Serving, with_engine
from finetune.run.train import train
from finetune.run.troubles import diverged, troubles_of
from finetune.run.wishes import Wishes
from store.desk import Desk
from store.errors import DeskError
from store.home import Home
from store.records import Run
from store.runs import LIVE, RunLock
from store.words import RunState

NICENESS = 10  # the chat goes first
STOPPED = {"cancelled": "cancelled", "interrupted": "stopped"}


async def take_steps(run: RunContext) -> None:
    """From wherever the run stands to its verdict."""
    prepared = await prepare(run)
    run.desk.runs.transition(run.run_id, "training", phase="training", base_fingerprint=prepared.mark, pid=os.getpid())
    facts = await train(run, prepared, await replayed(run, prepared))
    run.desk.runs.transition(run.run_id, "evaluating", phase="publishing")

    async def compare(served: Serving) -> Judgement:
        candidate = await publish_candidate(run, prepared, facts, served.engine)
        return await judge(run, served, candidate, prepared.data)

    judgement = await with_engine(run, prepared.spec, compare)
    conclude(run, judgement, troubles_of(course_of(run, judgement, facts)))


async def work(run: RunContext, steps: Callable[[RunContext], Awaitable[None]] = take_steps) -> Run:
    """Take *steps*; every way they can end is written to the store. Returns the run as it ended."""
    task = asyncio.ensure_future(steps(run))
    wanted = asyncio.create_task(run.wishes.made.wait(), name="wishes")
    await asyncio.wait({task, wanted}, return_when=asyncio.FIRST_COMPLETED)
    wanted.cancel()
    if not task.done():
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        _write_end(partial(_give_up, run))
    except BaseException as error:
        with contextlib.suppress(OSError):  # the log's disk may be what is full
            print_trace(error)
        _write_end(partial(_fail, run, error))
    return run.run


def _write_end(write: Callable[[], None]) -> None:
    """Write how the run ended. A desk that does not take even that is told of in the log; whoever follows the run
    finds that its process is gone, and says so."""
    try:
        write()
    except DeskError as error:
        with contextlib.suppress(OSError):
            print(error.sentence, file=sys.stderr, flush=True)  # noqa: T201


def _give_up(run: RunContext) -> None:
    state: RunState = "cancelled" if run.wishes.wish == "cancel" else "interrupted"
    if run.run.state not in LIVE:
        return  # it had just ended by itself
    if run.wishes.who is not None:
        run.note(f"{run.wishes.who} {STOPPED[state]} the retraining.")
    run.desk.runs.transition(run.run_id, state)
    if state == "cancelled":
        run.files.drop_work()
    run.emit_end(state)


def _fail(run: RunContext, error: BaseException) -> None:
    kind = error.kind if isinstance(error, EngineError) else kind_of(error)
    sentence = error.sentence if isinstance(error, EngineError) else SENTENCES[kind_of(error)]
    failure = Failed(kind, sentence, str(run.files.log))
    if run.run.state in LIVE:
        run.desk.runs.transition(run.run_id, "failed", failure=asdict(failure))
    if kind == "diverged":
        run.emit(TroubleFound(diverged(run.recipe, run.steps())))
    run.emit(failure)
    run.emit_end("failed")


async def main_async(home: Home, run_id: int) -> int:
    """Work on one run under its leash; 0 unless it failed."""
    private_loop(asyncio.get_running_loop())
    with Desk.open(home) as desk:
        wishes = Wishes()
        watching = [
            asyncio.create_task(watch_leash(wishes), name="watch-parent"),
            asyncio.create_task(wishes.watch(desk, run_id), name="watch-wishes"),
        ]
        # It joins the engine of those who chat, and starts none: that would have the low priority of this process.
        engines = share_engine(home.engine, starts=False)
        run = await work(RunContext.of(desk, desk.runs.get(run_id), wishes, make_engine=engines))
        for task in watching:
            task.cancel()
        return 1 if run.state == "failed" or run.state in LIVE else 0


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    args = parser.parse_args()
    private_errors()
    home = Home.open(args.home, create=False)
    lock = RunLock.adopt(home, args.lock_fd)  # held until this process ends, however it ends
    os.nice(NICENESS)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes ends its app; that is what the leash is for
    code = asyncio.run(main_async(home, args.run))
    lock.release()
    return code


if __name__ == "__main__":
    sys.exit(main())
