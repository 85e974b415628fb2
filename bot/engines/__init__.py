"""Engines: the interface that all of them keep (``engine``), the one place that chooses what computes behind it
(:func:`make_engine`), the back ends, a room each, and the room where all clients of a desk share one
(:func:`share_engine`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.engines import torch
from bot.engines.child import EngineProcess
from bot.engines.engine import Engine, EngineFactory
from bot.engines.shared.client import SharedEngines

__all__ = ["Engine", "EngineFactory", "make_engine", "share_engine"]


def make_engine(*, log: Path, on_death: Callable[[], None] | None = None, back_end: str = "torch") -> Engine:
    """An engine of *back_end* (``torch``), not started yet; see :class:`bot.engines.engine.EngineFactory`.

    Raises :class:`ValueError` for a back end that deskloop does not have."""
    if back_end != "torch":
        raise ValueError(f"There is no back end {back_end!r}. Choose torch.")
    return EngineProcess(torch.MODULE, torch.CAPABILITIES, log=log, on_death=on_death)


def share_engine(folder: Path, *, starts: bool = True) -> EngineFactory:
    """Makes engines that are one: clients of the engine of the desk which is found in *folder*. With *starts* the first
    one starts it; else one that finds none has an engine of its own."""
    return SharedEngines(folder, make_engine, starts=starts)
