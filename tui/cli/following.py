"""Following a run in a terminal or a pipe, to its exit code."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from store.records import Run, RunEvent
from tui.cli.context import DONE, FAILED, INCONCLUSIVE, REJECTED, Cli
from tui.cli.progress import Line
from tui.cli.streams import ending
from tui.core import DeskService
from tui.core.reports import held_because, outcome
from tui.core.runs import ways_on


async def follow_run(cli: Cli, service: DeskService, run: Run) -> Run:
    """Print the events of *run* until it is over, then its outcome. Ctrl-C cancels it cleanly; where the system or a
    closed terminal ends the command, the run is stopped with a checkpoint to go on from."""
    line = Line(cli)
    loop = asyncio.get_running_loop()
    cancelling: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if not cancelling:
            stopped = ending.number is not None
            end = service.stop_run() if stopped else service.cancel_run()
            cancelling.append(loop.create_task(end))  # first: saying so may fail on a closed pipe
            line.end()
            cli.say(f"{'Stopping' if stopped else 'Cancelling'} run {run.id}; what answers now goes on answering...")

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        async for event in service.run_events(run.id):
            if event.kind != "done":  # the outcome below says it, in the shape scripts depend on
                cli.emit({"event": event.kind, "at": event.at, **event.body})
            _narrate(cli, line, event)
        if cancelling:
            await cancelling[0]
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    line.end()
    over = service.desk.runs.get(run.id)
    cli.emit(outcome(over))
    _conclude(cli, over)
    return over


def exit_code(run: Run) -> int:
    """The exit code that tells a script how *run* ended."""
    if run.state == "promoted":
        return DONE
    if run.state == "rejected":
        return REJECTED
    return INCONCLUSIVE if run.state == "held" else FAILED


def _narrate(cli: Cli, line: Line, event: RunEvent) -> None:
    body = event.body
    if event.kind == "step":
        line.show(step_line(body))
    elif event.kind == "judged":
        line.show(f"judging {body.get('version', '')}: {body.get('done')} of {body.get('total')} answers")
    elif isinstance(sentence := body.get("sentence"), str):
        line.end()
        cli.say(sentence)


def step_line(body: dict[str, Any]) -> str:
    """A training step in a line: how far, how well, how long still."""
    parts = [f"step {body.get('step')} of {body.get('steps')}"]
    if (loss := body.get("loss")) is not None:
        parts.append(f"loss {loss:.3f}")
    if (speed := body.get("tokens_per_second")) is not None:
        parts.append(f"{speed:.0f} tokens/s")
    if (left := body.get("seconds_left")) is not None:
        parts.append(f"{int(left) // 60}:{int(left) % 60:02d} left")
    if (memory := body.get("peak_memory_bytes")) is not None:
        parts.append(f"{memory / 2**30:.1f} GiB")
    return "  ".join(parts)


def _conclude(cli: Cli, run: Run) -> None:
    active, candidate = outcome(run)["bleu"].values()
    numbers = "" if candidate is None else f" (BLEU {_number(active)} -> {_number(candidate)})"
    if run.state == "promoted":
        cli.data(f"{run.candidate} passed the regression check{numbers} and answers now.")
    elif run.state == "rejected":
        cli.data(f"{run.candidate} was rejected by the regression check{numbers}; nothing changed for customers.")
    elif run.state == "held":
        cli.data(
            f"{run.candidate} is held{numbers}: {held_because(run.report or {})}. "
            f"`deskloop versions activate {run.candidate}` uses it."
        )
    elif run.state == "interrupted":
        cli.data(f"Run {run.id} was interrupted.{ways_on(run)}")
    elif run.state == "failed" and run.failure is not None:
        log = run.failure.get("log")
        cli.say(str(run.failure.get("sentence")) + (f" Details: {log}" if log else "") + ways_on(run))
    else:
        cli.data(f"Run {run.id} is {run.state}. What answered before goes on answering.")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"
