"""What a training says of itself while it goes on, and whether it shall stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

from finetune.events import Evaluated, Event, Note, Step, Taught
from finetune.train.plan import Plan
from finetune.train.progress import Progress, StepTaken, TaughtShare, Validation
from finetune.train.validate import Watched

Emit = Callable[[Event], None]
REPORT_EVERY = 0.25  # seconds between two step events


class Monitor:
    """Emits events by *emit*; *stop* says whether the training shall stop, with a checkpoint.

    Speed and time left are those of the steps, without validations, and without the first step, which warms up."""

    def __init__(self, plan: Plan, emit: Emit, stop: Callable[[], bool]) -> None:
        self._plan, self._emit, self._stop = plan, emit, stop
        self._reported = self._started = time.monotonic()
        self._processor_started = time.process_time()
        self._warm: tuple[float, int] | None = None  # when the first step was done, and which one that was
        self._places = 0
        self.loss: float | None = None
        self.validating_seconds = 0.0

    @property
    def stop_wanted(self) -> bool:
        """Whether the training shall stop."""
        return self._stop()

    def note(self, sentence: str) -> None:
        """Say something in passing."""
        self._emit(Note(sentence))

    # -- steps ---------------------------------------------------------------------------------------
    def report_step(self, progress: Progress, taken: StepTaken, learning_rate: float) -> None:
        """Count the step that was just taken, and report it if the last report is a while ago."""
        now = time.monotonic()
        step, last = progress.step, self._plan.last(progress.falls)
        self.loss = taken.loss
        if self._warm is None:
            self._warm = (now, step)
        else:
            self._places += taken.places
        if now - self._reported < REPORT_EVERY and step not in (1, last):
            return
        self._reported = now
        seconds, steps = now - self._warm[0], step - self._warm[1]
        left = last - step
        self._emit(
            Step(
                step=step,
                steps=last,
                epoch=round(self._plan.epoch(step), 3),
                loss=round(taken.loss, 4),
                gradient_norm=round(taken.gradient_norm, 4),
                learning_rate=learning_rate,
                tokens_per_second=self.tokens_per_second,
                seconds_left=round(seconds / steps * left, 1) if steps else None,
                peak_memory_bytes=peak_memory(),
            )
        )

    @property
    def tokens_per_second(self) -> float | None:
        """Places computed a second, over all steps but the first; None if there was but one."""
        if self._warm is None or not self._places:
            return None
        return round(self._places / max(1e-9, time.monotonic() - self._warm[0]), 1)

    # -- validations ---------------------------------------------------------------------------------
    @contextmanager
    def validating(self) -> Iterator[None]:
        """While the training is validated."""
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        self.validating_seconds += seconds
        if self._warm is not None:
            self._warm = (self._warm[0] + seconds, self._warm[1])

    def report_validation(self, found: Validation, watched: Watched) -> None:
        """Report what *watched* showed."""
        self._emit(
            Evaluated(
                step=found.step,
                steps=self._plan.steps,
                epoch=round(self._plan.epoch(found.step), 3),
                loss=round(found.loss, 4),
                examples=len(watched.rows),
                pairs=watched.kind,
                bleu=None if found.bleu is None else round(found.bleu, 2),
                answers=None if found.bleu is None else len(watched.pairs),
            )
        )

    def report_taught(self, found: TaughtShare) -> None:
        """Report what is taught."""
        epochs = round(self._plan.epoch(found.step))
        self._emit(Taught(found.step, epochs, found.asked, found.known, found.asked_new, found.known_new))

    # -- the whole -----------------------------------------------------------------------------------
    @property
    def seconds(self) -> float:
        """Since the beginning, validations and all."""
        return time.monotonic() - self._started

    @property
    def processor_share(self) -> float:
        """Of the threads that torch computes with, how much the processor gave them, 0 to 1."""
        return (time.process_time() - self._processor_started) / (self.seconds * torch.get_num_threads())


def peak_memory() -> int:
    """The most memory this process has had, in bytes; on a GPU its own."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    except ImportError:
        return int(psutil.Process().memory_info().rss)
