"""The engine that measures and judges a run's version, in the configuration that will serve it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.engines import Engine
from bot.types import BaseFacts, BaseSpec
from finetune.events import Phase
from finetune.run.context import RunContext

TO_SERVE = Phase("publishing", "Loading the base as it will serve the new version.")


@dataclass(frozen=True, slots=True)
class Serving:
    """An engine, and what it says of the base it has loaded."""

    engine: Engine
    base: BaseFacts


@asynccontextmanager
async def serving(run: RunContext, spec: BaseSpec, phase: Phase = TO_SERVE) -> AsyncIterator[Serving]:
    """An engine of the run's own with the base, for the length of the block; *phase* says what for."""
    run.emit(phase)
    engine = run.make_engine(log=run.files.log)
    try:
        yield Serving(engine, await engine.load(spec))
    finally:
        await engine.close()
