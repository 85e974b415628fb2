"""Training on this machine: a process of its own, a child of the run's process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from bot.child import child_options, module_command
from bot.wire import LINE_LIMIT
from finetune.events import Note, Trained, TrainerFailed, from_line
from finetune.failures import RunFailure
from finetune.files import JobFiles
from finetune.launch.launcher import Emit
from finetune.launch.stillness import report_stillness
from finetune.train.trainer import INTERRUPTED

SAVE_SECONDS = 20.0  # how long a trainer that is stopped may take to write its last checkpoint
KILLED = -9  # the exit code of a process that the system, or somebody, killed


class TrainingHere:
    """The process of a training. What it says comes by its standard output, a JSON line each; the end of its standard
    input asks it for a checkpoint and its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._input, self._output = process, process.stdin, process.stdout

    async def follow(self, emit: Emit) -> Trained:
        """See :class:`finetune.launch.launcher.Training`; a process that stands still is a note."""
        watching = asyncio.create_task(
            report_stillness(self._process.pid, lambda sentence: emit(Note(sentence))), name="stillness"
        )
        trained: Trained | None = None
        failed: TrainerFailed | None = None
        try:
            while line := await self._output.readline():
                match from_line(line):
                    case Trained() as trained:
                        pass
                    case TrainerFailed() as failed:
                        pass
                    case event:
                        emit(event)
            code = await self._process.wait()
        finally:
            watching.cancel()
        if failed is not None:
            raise RunFailure(failed.kind, failed.detail)
        if trained is None:
            # Killed from outside; for a process that only computes that is nearly always the system, out of memory.
            raise RunFailure("out-of-memory" if code == KILLED else "trainer-died", f"the trainer ended with {code}")
        return trained

    async def stop(self) -> None:
        """See :class:`finetune.launch.launcher.Training`."""
        self._input.close()
        with contextlib.suppress(TimeoutError):
            if await asyncio.wait_for(self._process.wait(), SAVE_SECONDS) == INTERRUPTED:
                return
        await self.cancel()

    async def cancel(self) -> None:
        """See :class:`finetune.launch.launcher.Training`."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class Here:
    """This machine. *command*: the trainer's, if it is another one than deskloop's."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or module_command("finetune.train.trainer"))

    async def start(self, job: JobFiles, base: Path) -> TrainingHere:
        """See :class:`finetune.launch.launcher.Launcher`."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(job.root),
            str(base),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            **child_options(),
        )
        return TrainingHere(process)
