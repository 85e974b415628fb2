"""The engine that measures and judges a run's version, in the configuration that will serve it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.engines import Engine, make_engine
from bot.engines.shared.client import SharedEngine
from bot.types import BaseFacts, BaseSpec, EngineError
from finetune.events import Phase
from finetune.run.context import RunContext

Made = TypeVar("Made")
TO_SERVE = Phase("publishing", "Loading the base as it will serve the new version.")


@dataclass(frozen=True, slots=True)
class Serving:
    """An engine, and what it says of the base it has loaded."""

    engine: Engine
    base: BaseFacts


@asynccontextmanager
async def serving(run: RunContext, spec: BaseSpec, phase: Phase = TO_SERVE) -> AsyncIterator[Serving]:
    """An engine with the base, for the length of the block; *phase* says what for."""
    run.emit(phase)
    engine = run.make_engine(log=run.files.log)
    try:
        yield Serving(engine, await engine.load(spec))
    finally:
        await engine.close()


async def with_engine(run: RunContext, spec: BaseSpec, work: Callable[[Serving], Awaitable[Made]]) -> Made:
    """What *work* makes with an engine. One that the chat uses, too, may end by what others ask of it: that is no
    failure of the run, which then does its work in an engine of its own. *work* can be begun a second time; answers
    that are kept are not asked for again. Raises :class:`bot.types.EngineError`."""
    async with serving(run, spec) as served:
        try:
            return await work(served)
        except EngineError as error:
            engine = served.engine
            if error.kind != "engine-died" or not (isinstance(engine, SharedEngine) and engine.shared):
                raise
    run.note("The engine of the chat stopped. The check goes on with an engine of its own.")
    async with serving(replace(run, make_engine=make_engine), spec) as served:
        return await work(served)
