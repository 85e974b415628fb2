"""Retraining from the app's side: start, follow, cancel, resume; the run itself is a process of its own."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from finetune.endings import ending_of
from finetune.events import Done, Recorded, recorded
from finetune.gate.report import Sides
from finetune.preflight import Preflight, preflight
from finetune.recipe import Recipe
from finetune.recipe_values import recorded_recipe
from finetune.run import client
from store.database import DeskBusy
from store.desk import Desk
from store.errors import NotThere
from store.records import Run
from store.runs import LIVE, WrongTransition
from store.words import RunWish
from tui.core.beside import Beside
from tui.core.changes import Changes
from tui.core.errors import DeskError
from tui.core.events import Notice, RunProgress
from tui.core.keeper import EngineKeeper
from tui.core.reports import bleu_of

POLL = 0.3  # seconds between two looks at a run's event rows
AGAIN = 5.0  # seconds between two tries to write to a desk that took nothing
PATIENCE = 4  # refusals of a busy desk, each after its own wait, before a run that is gone is said to be
FAREWELL = 4  # looks after a run's end in which its last event may still come; a killed one has none


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the history shows it. ``pairs``: how many it trained on; ``seconds``: from its first step's preparation
    to its end; ``bleu``: of the active version and of the candidate, as far as the gate got."""

    run: Run
    pairs: int
    seconds: float | None
    bleu: Sides


class RunDesk:
    """The runs of one desk. Events are followed in the store, the same for this app's run and another
    app's."""

    def __init__(self, desk: Desk, beside: Beside, changes: Changes, engine: EngineKeeper, who: str) -> None:
        self._desk, self._beside, self._changes, self._engine, self._who = desk, beside, changes, engine, who
        self._own: client.RunProcess | None = None
        self._follower: asyncio.Task[None] | None = None
        self._followed: int | None = None
        self.on_finished: Callable[[Run], None] = lambda run: None

    # -- looking -----------------------------------------------------------------------------------
    @property
    def live(self) -> Run | None:
        """The run in progress on this desk, whichever app started it."""
        return self._desk.runs.live()

    def get(self, run_id: int) -> Run:
        """Raises :class:`DeskError` if there is no such run."""
        return self._known(run_id)

    def latest(self) -> Run | None:
        """The last run that was started."""
        return next(iter(self._desk.runs.list(limit=1)), None)

    def list(self) -> builtins.list[Run]:
        """Every run, the latest first; one whose process is gone is interrupted, not live."""
        self._desk.runs.mark_interrupted()
        return self._desk.runs.list()

    def stored_events(self, run_id: int) -> builtins.list[Recorded]:
        """The events of a run so far."""
        return [recorded(row) for row in self._desk.runs.events(run_id)]

    def interrupted(self) -> builtins.list[Run]:
        """Runs whose process is gone before their end; each can be resumed or discarded."""
        self._desk.runs.mark_interrupted()
        return [run for run in self._desk.runs.list() if run.state == "interrupted"]

    def history(self) -> builtins.list[RunRow]:
        """Every run, the latest first."""
        self._desk.runs.mark_interrupted()
        pairs = self._desk.runs.pair_counts()
        return [RunRow(run, pairs.get(run.id, 0), seconds_of(run), bleu_of(run)) for run in self._desk.runs.list()]

    async def preflight(self, recipe: Recipe) -> Preflight:
        """What a run with *recipe* would train on, need and take; its ``problems`` forbid it. Looking for conflicts
        among 20,000 pairs takes seconds, so it is done aside.

        Raises :class:`DeskError` if the base's files don't tell its size."""
        try:
            return await self._beside.read(lambda desk: preflight(desk, recipe))
        except (ValueError, OSError) as error:
            raise DeskError(f"The base model can't be measured: {error}. Run `deskloop doctor`.") from error

    def events(self, run_id: int) -> AsyncIterator[Recorded]:
        """Every event of a run, from the store, until it is over; of one that was resumed, those since then.

        A run whose process was killed is over, too: it is marked as interrupted here."""
        ended = self._desk.runs.last_event(run_id, "done") if self._desk.runs.get(run_id).state in LIVE else None
        return self._events(run_id, ended.id if ended is not None else 0)

    async def _events(self, run_id: int, after_id: int) -> AsyncIterator[Recorded]:
        farewell, refusals = FAREWELL, 0
        while True:
            refusals = 0 if self._marked(run_id, refusals) else refusals + 1
            over = self._desk.runs.get(run_id).state not in LIVE
            said = [recorded(row) for row in self._desk.runs.events(run_id, after_id)]
            for entry in said:
                after_id = entry.id
                yield entry
            if over:
                # The last state is written a moment before the last event.
                farewell -= 1
                if farewell < 0 or any(isinstance(entry.event, Done) for entry in said):
                    return
            await asyncio.sleep(POLL)

    def _marked(self, run_id: int, refusals: int) -> bool:
        """Mark a run whose process is gone; False if the desk was busy. Raises :class:`DeskError` if that can't be
        written: no more will come of the run, and the desk still says that it is live."""
        try:
            self._desk.runs.mark_interrupted()
        except DeskError as error:
            if isinstance(error, DeskBusy) and refusals < PATIENCE:
                return False
            raise DeskError(
                f"The retraining stopped, and the desk could not save that. {error.sentence} Run {run_id} is "
                "offered for "
                "resuming as soon as the desk can be written again."
            ) from error
        return True

    # -- doing -------------------------------------------------------------------------------------
    async def start(self, found: Preflight) -> Run:
        """Start the run whose preflight *found* is, and follow it; where it has to, the chat lends it its memory. What
        was found is not looked for again: whether it still holds, the run sees for itself when it begins.

        Raises :class:`DeskError` if a run is live or the preflight forbids this one."""
        if found.problems:
            raise DeskError(" ".join(found.problems))
        async with self._lending(found.unload_engine):
            return await self._begin(lambda: client.start_run(self._desk, found.recipe, self._who))

    async def resume(self, run_id: int) -> Run:
        """Go on with an interrupted or failed run from its last checkpoint, which needs as much memory as at its start.
        Raises :class:`DeskError`, also where that would be of no use."""
        async with self._lending(await self.unloads_engine(run_id)):
            return await self._resume(run_id)

    @asynccontextmanager
    async def _lending(self, unload: bool) -> AsyncIterator[None]:
        """With *unload* the chat's memory is free, if there is a chat; it is taken back at once if no run began."""
        unload = unload and self._engine.state.name != "absent"
        if unload:
            await self._engine.unload("The chat waits: the retraining needs its memory until it is finished.")
        try:
            yield
        except BaseException:
            if unload:
                await self._engine.reload()
            raise

    async def _resume(self, run_id: int) -> Run:
        run = self._known(run_id)
        if not run.resumable:
            raise DeskError(f"Run {run_id} {_stands(run)}, so it can't be resumed.{ways_on(run)}")
        return await self._begin(lambda: client.resume_run(self._desk, run_id, self._who))

    async def unloads_engine(self, run_id: int) -> bool:
        """Whether the chat's memory would have to be lent to a run that is resumed; False if it can't be."""
        run = self._known(run_id)
        return run.resumable and (await self.preflight(recorded_recipe(run.recipe))).unload_engine

    def discard(self, run_id: int) -> None:
        """Give an interrupted or failed run up and remove its files. Raises :class:`DeskError`."""
        run = self._known(run_id)
        try:
            client.discard_run(self._desk, run_id, self._who)
        except WrongTransition as error:
            raise DeskError(f"Run {run_id} {_stands(run)}, so there is nothing to discard.") from error

    def _known(self, run_id: int) -> Run:
        self._desk.runs.mark_interrupted()  # a run whose process is gone is not live, whatever its row says
        try:
            return self._desk.runs.get(run_id)
        except NotThere as error:
            raise DeskError(f"There is no run {run_id}. `deskloop runs list` shows them.") from error

    async def cancel(self) -> None:
        """Cancel the live run cleanly, whichever app started it: no candidate stays behind. Nothing happens if none
        is live. Raises :class:`DeskError` if it does not end within seconds."""
        await self._end("cancel")

    async def interrupt(self) -> None:
        """Stop the live run, whichever app started it, with a checkpoint to go on from. Raises as :meth:`cancel`."""
        await self._end("interrupt")

    async def _end(self, wish: RunWish) -> None:
        run = self.live
        if run is None:
            return
        if self._own is not None and self._own.run_id == run.id:
            self._desk.runs.wish(run.id, wish, self._who)
            await self._own.end(wish)
        elif (await client.end_run(self._desk, run.id, wish, self._who)).state in LIVE:
            raise DeskError(
                f"Run {run.id} is busy and has not stopped yet. It was told to, and will stop as soon as it can."
            )

    @property
    def own(self) -> Run | None:
        """The live run that this app started, and that ends with it unless it is detached."""
        run = self.live
        return run if run is not None and self._own is not None and self._own.run_id == run.id else None

    def detach(self) -> None:
        """From now on this app's live run goes on without it, and is followed like another app's."""
        if self._own is not None:
            self._own.detach()
            self._own = None

    def let_go(self) -> None:
        """Let this app's live run stop with a checkpoint, and don't wait for that: :meth:`close` then takes no time."""
        if self._own is not None:
            self._own.let_go()
            self._own = None

    async def close(self) -> None:
        """Leave: this app's live run, unless it is detached, is interrupted with a checkpoint and offered at the next
        start."""
        if self._follower is not None:
            self._follower.cancel()
            with suppress(asyncio.CancelledError):
                await self._follower
        if self._own is not None:
            await self._own.interrupt()
            self._own = None

    def follow(self) -> None:
        """Follow the live run, if one is and it is not followed yet."""
        run = self.live
        if run is None or run.id == self._followed:
            return
        self._followed = run.id
        self._follower = asyncio.create_task(self._pump(run.id, self.events(run.id)), name=f"follow-run-{run.id}")

    async def _begin(self, spawn: Callable[[], Awaitable[client.RunProcess]]) -> Run:
        try:
            self._own = await spawn()
        except (WrongTransition, NotThere) as error:
            raise DeskError("This run is over, so it can't be resumed.") from error
        except OSError as error:
            raise DeskError(f"The retraining could not be started: {error.strerror or error}.") from error
        self.follow()
        return self._desk.runs.get(self._own.run_id)

    async def _pump(self, run_id: int, events: AsyncIterator[Recorded]) -> None:
        """Tell every event of a run, then its end."""
        try:
            async for event in events:
                self._changes.publish(RunProgress(event))
            if self._own is not None and self._own.run_id == run_id:
                await self._own.wait()
        except DeskError as error:
            self._changes.publish(Notice(error.sentence, trouble=True))
            await self._until_marked()
        if self._own is not None and self._own.run_id == run_id:
            self._own = None
        self._followed = None  # it may be resumed
        self.on_finished(self._desk.runs.get(run_id))

    async def _until_marked(self) -> None:
        """Wait until the desk can be written, and says that the run is not live any more."""
        while True:
            await asyncio.sleep(AGAIN)
            with suppress(DeskError):
                self._desk.runs.mark_interrupted()
                return


def ways_on(run: Run) -> str:
    """What can be done with a run that did not come to its end, in sentences with the commands; empty if it did."""
    commands = {
        "resume": f" `deskloop runs resume {run.id}` resumes it.",
        "discard": f" `deskloop runs discard {run.id}` discards it and frees its files.",
    }
    return "".join(commands.get(way, "") for way in ending_of(run).ways)


def _stands(run: Run) -> str:
    return "failed, and would fail again" if run.state == "failed" else f"is {run.state}"


def seconds_of(run: Run) -> float | None:
    """How long a run took from its start to its end; None if it has not had both."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)).total_seconds()
