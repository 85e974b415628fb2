"""Following a run in a terminal or a pipe, to its exit code."""

from __future__ import annotations

import asyncio
import signal

from finetune.endings import ending_of
from finetune.events import Done, Event, Failed, Judged, Step, encode, sentence
from finetune.gate.report import report_of
from store.records import Run
from store.words import RunState
from tui.cli.context import DONE, FAILED, INCONCLUSIVE, REJECTED, Cli
from tui.cli.progress import Line
from tui.cli.streams import ending
from tui.core import OpenDesk
from tui.core.reports import outcome
from tui.core.runs import ways_on


async def follow_run(cli: Cli, desk: OpenDesk, run: Run) -> Run:
    """Print the events of *run* until it is over, then its outcome. Ctrl-C cancels it cleanly; where the system or a
    closed terminal ends the command, the run is stopped with a checkpoint to go on from."""
    line = Line(cli)
    loop = asyncio.get_running_loop()
    cancelling: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if not cancelling:
            stopped = ending.number is not None
            end = desk.runs.interrupt() if stopped else desk.runs.cancel()
            cancelling.append(loop.create_task(end))  # first: saying so may fail on a closed pipe
            line.end()
            cli.say(f"{'Stopping' if stopped else 'Cancelling'} run {run.id}; the current version goes on answering...")

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        async for entry in desk.runs.events(run.id):
            if not isinstance(entry.event, Done):  # the outcome below says it, in the shape scripts depend on
                kind, body = encode(entry.event)
                cli.emit({"event": kind, "at": entry.at, **body})
            _narrate(cli, line, entry.event)
        if cancelling:
            await cancelling[0]
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    line.end()
    over = desk.runs.get(run.id)
    cli.emit(outcome(over))
    _conclude(cli, over)
    return over


_EXIT_CODES: dict[RunState, int] = {"promoted": DONE, "rejected": REJECTED, "held": INCONCLUSIVE}


def exit_code(run: Run) -> int:
    """The exit code that tells a script how *run* ended."""
    return _EXIT_CODES.get(run.state, FAILED)


def _narrate(cli: Cli, line: Line, event: Event) -> None:
    match event:
        case Step():
            line.write(f"{sentence(event)}  {event.machine}".strip())
        case Judged():
            line.write(sentence(event))
        case Failed():
            pass  # said at the end, with what can be done
        case _ if words := sentence(event):
            line.end()
            cli.say(words)


def _conclude(cli: Cli, run: Run) -> None:
    """Say how *run* ended and what can be done next."""
    ending = ending_of(run)
    if ending.failure is not None:
        log = f" Details: {ending.failure.log}" if ending.failure.log else ""
        cli.say(f"{ending.failure.sentence}{log}{ways_on(run)}")
        return
    use = ""
    if run.state == "held":
        use = f" `deskloop versions activate {run.candidate}` uses it."
        report = report_of(run)
        if report is not None and report.lost:
            use = f" `deskloop runs report {run.id}` shows the answers that got worse.{use}"
    numbers = f" {ending.numbers}" if ending.numbers else ""
    cli.data(f"{ending.sentence}{numbers}{use}{ways_on(run)}")
